/**
 * From what is known of a client to the pool that it wants: the first route that matches. Routes that ask for
 * what is not known yet stop the search, unless something else about them is known not to match.
 */
import { contains } from './access/address-set.ts';
import { assert } from './assert.ts';
import { Turns } from './balancers/turns.ts';
import type { AddressWords } from './ledger/client-table.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { PoolSlot, RouteCondition, RoutePlan } from './plan.ts';
import type { Protocol } from './wire/protocol.ts';
import type { Fact } from './wire/sniffer.ts';

/** What routes ask about, besides the client's address. */
export interface Facts {
  readonly protocol: Protocol | undefined;
  readonly sni: Fact<string>;
  readonly alpn: Fact<readonly string[]>;
  readonly httpHost: Fact<string>;
}

export interface Route {
  /** The pool that this session goes to; of a split, the one whose turn it is. */
  takePool(): PoolSlot;
}

/** Whether a route matches: it does, it takes more bytes to say, or one of its conditions does not. */
export type Verdict = 'matches' | 'needs-bytes' | keyof RouteCondition;

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
   * The route to take; undefined where none matches. However many routes there are, those whose name is another
   * are not looked at: 1,000 names cost what 10 do.
   */
  decide(client: AddressWords | undefined, facts: Facts): Route | 'needs-bytes' | undefined {
    for (const route of this.#candidates(facts)) {
      const verdict = route.judge(client, facts);
      if (verdict === 'matches') return route;
      if (verdict === 'needs-bytes') return verdict;
    }
    return undefined;
  }

  /** What becomes of each route, in their order: for people. */
  explain(client: AddressWords | undefined, facts: Facts): readonly Verdict[] {
    return this.#routes.map((route) => route.judge(client, facts));
  }

  /** The pool that a route takes now, by its place among them. */
  takePool(index: number): PoolSlot {
    const route = this.#routes[index];
    assert(route !== undefined, 'a router is asked about routes that it has');
    return route.takePool();
  }

  #candidates({ sni, httpHost }: Facts): readonly CompiledRoute[] {
    if (sni === undefined && httpHost === undefined) return this.#routes;
    const indices = [...this.#bySni.of(sni), ...this.#byHost.of(httpHost), ...this.#byNoName];
    return indices.sort((a, b) => a - b).flatMap((index) => this.#routes[index] ?? []);
  }
}

class CompiledRoute implements Route {
  readonly #plan: RoutePlan;
  readonly #turns: Turns | undefined;
  readonly #sni: ReadonlySet<string> | undefined;
  readonly #httpHost: ReadonlySet<string> | undefined;

  constructor(plan: RoutePlan, ledger: Ledger) {
    const { when, to } = plan;
    this.#plan = plan;
    this.#sni = when.sni && new Set(when.sni);
    this.#httpHost = when.httpHost && new Set(when.httpHost);
    if (typeof to === 'number') return;
    const weights = to.shares.map(({ weight }) => weight);
    this.#turns = new Turns(weights, () => Atomics.add(ledger.splitTurns, to.slot, 1) >>> 0);
  }

  takePool(): PoolSlot {
    const { to } = this.#plan;
    if (typeof to === 'number') return to;
    const share = to.shares[this.#turns?.next() ?? 0];
    assert(share !== undefined, 'a split has a pool with a weight');
    return share.pool;
  }

  judge(client: AddressWords | undefined, { protocol, sni, alpn, httpHost }: Facts): Verdict {
    const { when } = this.#plan;
    if (when.client !== undefined && (client === undefined || !contains(when.client, client)))
      return 'client';
    const { protocol: wanted, alpn: offered } = when;
    if (wanted !== undefined && protocol !== undefined && !wanted.includes(protocol)) return 'protocol';
    if (this.#sni !== undefined && sni !== undefined && !names(this.#sni, sni)) return 'sni';
    if (offered !== undefined && alpn !== undefined && !alpn?.some((one) => offered.includes(one)))
      return 'alpn';
    if (this.#httpHost !== undefined && httpHost !== undefined && !names(this.#httpHost, httpHost))
      return 'httpHost';
    const needsBytes =
      (wanted !== undefined && protocol === undefined) ||
      (this.#sni !== undefined && sni === undefined) ||
      (offered !== undefined && alpn === undefined) ||
      (this.#httpHost !== undefined && httpHost === undefined);
    return needsBytes ? 'needs-bytes' : 'matches';
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

  /** Those that may match: all while the name is not known, none where there is none. */
  of(name: string | null | undefined): readonly number[] {
    if (name === undefined) return this.#all;
    if (name === null) return none;
    return patternsOf(name).flatMap((pattern) => this.#routesOf.get(pattern) ?? none);
  }
}

const none: readonly number[] = [];

function names(patterns: ReadonlySet<string>, name: string | null): boolean {
  return name !== null && patternsOf(name).some((pattern) => patterns.has(pattern));
}

/**
 * What may be written to mean a name: itself, and `*.` before each name above it, as nginx has it:
 * `*.example.com` is whatever lies below example.com, at any depth, and not example.com itself.
 */
function patternsOf(name: string): readonly string[] {
  const patterns = [name];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
    patterns.push(`*${name.slice(dot)}`);
  return patterns;
}
