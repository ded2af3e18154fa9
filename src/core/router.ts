/**
 * Finds a client's pool by what is known of it: the first route that matches. Routes that ask for
 * what is not known yet stop the search, unless something else about them is known not to match.
 */
import { contains } from './access/address-set.ts';
import { assert } from './assert.ts';
import { TurnSequence } from './balancers/turn-sequence.ts';
import type { AddressWords } from './ledger/client-table.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { InspectPolicy, PoolSlot, RouteCondition, RoutePlan } from './plan.ts';
import { type Fact, type ObservedFacts, settledWhereFinal } from './wire/sniffer.ts';

export interface MatchedRoute {
  /** The pool that this session goes to; of a split, the one whose turn it is. */
  nextPool(): PoolSlot;
}

/**
 * Whether a route matches: it does, it takes more bytes to say, none that come could say any more, or one of its
 * conditions does not.
 */
export type RouteVerdict = 'matches' | 'needs-bytes' | 'undecided' | keyof RouteCondition;

export class Router {
  readonly #routes: readonly CompiledRoute[];
  readonly #bySni: NameIndex;
  readonly #byHost: NameIndex;
  /** Those that ask for neither. */
  readonly #byNoName: readonly number[];

  constructor(routes: readonly RoutePlan[], ledger: Ledger) {
    this.#routes = routes.map((plan) => new CompiledRoute(plan, ledger));
    this.#bySni = new NameIndex(routes.map(({ when }) => when.sni));
    this.#byHost = new NameIndex(
      routes.map(({ when }) => (when.sni === undefined ? when.httpHost : undefined)),
    );
    this.#byNoName = routes.flatMap(({ when }, index) =>
      when.sni === undefined && when.httpHost === undefined ? [index] : [],
    );
  }

  /**
   * The route to take; undefined where none matches. What is undecided may be what the first route asks for that
   * would send the client elsewhere: then none is taken, nor the fallback, unless `undecided` says so. However many
   * routes there are, those whose name is another are not looked at: 1,000 names cost what 10 do.
   */
  decide(
    client: AddressWords | undefined,
    facts: ObservedFacts,
    undecided: InspectPolicy['undecided'] = 'refuse',
  ): MatchedRoute | 'needs-bytes' | 'undecided' | undefined {
    const known = new KnownFacts(undecided === 'fallback' ? settledWhereFinal(facts) : facts);
    for (const index of this.#candidates(known)) {
      const route = this.#routes[index];
      const verdict = route?.match(client, known);
      if (verdict === 'matches') return route;
      if (verdict === 'needs-bytes' || verdict === 'undecided') return verdict;
    }
    return undefined;
  }

  /** What becomes of each route, in their order: for people. */
  explain(client: AddressWords | undefined, facts: ObservedFacts): readonly RouteVerdict[] {
    const known = new KnownFacts(facts);
    return this.#routes.map((route) => route.match(client, known));
  }

  /** The pool that a route takes now, by its place among them. */
  nextPool(index: number): PoolSlot {
    const route = this.#routes[index];
    assert(route !== undefined, 'a router is asked about routes that it has');
    return route.nextPool();
  }

  /** Places of the routes that may match, in their order. */
  #candidates(known: KnownFacts): Iterable<number> {
    const { sni, httpHost } = known.facts;
    if (sni === undefined && httpHost === undefined) return this.#routes.keys();
    const lists = [
      ...this.#bySni.of(sni, known.sniPatterns),
      ...this.#byHost.of(httpHost, known.hostPatterns),
      this.#byNoName,
    ];
    return inOrder(lists.filter(({ length }) => length > 0));
  }
}

/** ObservedFacts, with what is looked up of them made once, for however many routes. */
class KnownFacts {
  readonly facts: ObservedFacts;
  readonly sniPatterns: readonly string[];
  readonly hostPatterns: readonly string[];
  #offered: ReadonlySet<string> | undefined;

  constructor(facts: ObservedFacts) {
    this.facts = facts;
    this.sniPatterns = patternsOf(facts.sni ?? undefined);
    this.hostPatterns = patternsOf(facts.httpHost ?? undefined);
  }

  offersAny(wanted: readonly string[]): boolean {
    this.#offered ??= new Set(this.facts.alpn);
    const offered = this.#offered;
    return wanted.some((one) => offered.has(one));
  }
}

/** Merges ascending lists into one, as far as it is asked for; what several hold may come several times. */
function* inOrder(lists: readonly (readonly number[])[]): Iterable<number> {
  const [only, ...others] = lists;
  if (only !== undefined && others.length === 0) return yield* only;
  const next = lists.map(() => 0);
  for (;;) {
    let first = -1;
    for (const [list, indices] of lists.entries()) {
      const index = indices[next[list] ?? 0];
      const least = lists[first]?.[next[first] ?? 0];
      if (index !== undefined && (least === undefined || index < least)) first = list;
    }
    const index = lists[first]?.[next[first] ?? 0];
    if (index === undefined) return;
    next[first] = (next[first] ?? 0) + 1;
    yield index;
  }
}

class CompiledRoute implements MatchedRoute {
  readonly #plan: RoutePlan;
  readonly #turns: TurnSequence | undefined;
  readonly #sni: ReadonlySet<string> | undefined;
  readonly #httpHost: ReadonlySet<string> | undefined;

  constructor(plan: RoutePlan, ledger: Ledger) {
    const { when, to } = plan;
    this.#plan = plan;
    this.#sni = when.sni && new Set(when.sni);
    this.#httpHost = when.httpHost && new Set(when.httpHost);
    if (typeof to === 'number') return;
    const weights = to.shares.map(({ weight }) => weight);
    this.#turns = new TurnSequence(weights, () => Atomics.add(ledger.splitTurns, to.slot, 1) >>> 0);
  }

  nextPool(): PoolSlot {
    const { to } = this.#plan;
    if (typeof to === 'number') return to;
    const share = to.shares[this.#turns?.next() ?? 0];
    assert(share !== undefined, 'a split has a pool with a weight');
    return share.pool;
  }

  match(client: AddressWords | undefined, known: KnownFacts): RouteVerdict {
    const { when } = this.#plan;
    if (when.client !== undefined && (client === undefined || !contains(when.client, client)))
      return 'client';
    const { protocols, sni, alpn, httpHost, isHelloFinal, isFinal } = known.facts;
    const { protocol: wanted, alpn: offered } = when;
    if (wanted !== undefined && !protocols.some((one) => wanted.includes(one))) return 'protocol';
    if (this.#sni !== undefined && sni !== undefined && !hasAny(this.#sni, known.sniPatterns)) return 'sni';
    if (offered !== undefined && alpn !== undefined && !known.offersAny(offered)) return 'alpn';
    if (this.#httpHost !== undefined && httpHost !== undefined && !hasAny(this.#httpHost, known.hostPatterns))
      return 'httpHost';
    const lacksHello =
      (this.#sni !== undefined && sni === undefined) || (offered !== undefined && alpn === undefined);
    const lacksMore =
      (wanted !== undefined && !protocols.every((one) => wanted.includes(one))) ||
      (this.#httpHost !== undefined && httpHost === undefined);
    if (!lacksHello && !lacksMore) return 'matches';
    return isFinal || (isHelloFinal && !lacksMore) ? 'undecided' : 'needs-bytes';
  }
}

/** Which routes ask for a name, in their order. */
class NameIndex {
  readonly #all: number[] = [];
  readonly #routesOf = new Map<string, number[]>();

  constructor(namesOfRoutes: readonly (readonly string[] | undefined)[]) {
    for (const [index, names] of namesOfRoutes.entries()) {
      if (names === undefined) continue;
      this.#all.push(index);
      for (const name of new Set(names)) {
        const routes = this.#routesOf.get(name);
        if (routes === undefined) this.#routesOf.set(name, [index]);
        else routes.push(index);
      }
    }
  }

  /** Those that may match, in lists: all while the name is not known, none where there is none. */
  of(name: Fact<string>, patterns: readonly string[]): readonly (readonly number[])[] {
    if (name === undefined) return [this.#all];
    return patterns.map((pattern) => this.#routesOf.get(pattern) ?? none);
  }
}

const none: readonly number[] = [];

function hasAny(wanted: ReadonlySet<string>, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => wanted.has(pattern));
}

/**
 * What may be written to mean a name: itself, and `*.` before each name above it, as nginx has it:
 * `*.example.com` is whatever lies below example.com, at any depth, and not example.com itself.
 */
function patternsOf(name: string | undefined): readonly string[] {
  if (name === undefined) return [];
  const patterns = [name];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
    patterns.push(`*${name.slice(dot)}`);
  return patterns;
}
