/**
 * What must become of a client until it has a pool: the rules of admission, from the first that does not let it pass.
 * What a client says is known beforehand, with its meaning; the rules ask only how much of it was handed over.
 */
import type { ListenerPlan, ListenerPolicy, PoolSlot, SplitPlan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import { isIn, isWelcome } from './neighbourhood.ts';
import type { ShadowEntrance, ShadowEntry } from './shadow-entrance.ts';
import { asAbsent, firstMatch, type Known, knownAfter } from './shadow-routes.ts';
import { type Announcement, asWords, mayBeHeader, type Speech, type Words } from './speech.ts';
import type { End, ToldCommand } from './told.ts';

/** A client waits for something of its own, is refused or has left, or goes to a pool. */
export type Standing =
  | 'waits'
  | { readonly refused: Reason; readonly with?: 'fin' }
  | { readonly to: PoolSlot | SplitPlan };

/** What must be commanded now, in this order. */
export type Asked = Extract<ToldCommand, { readonly kind: 'inspect' | 'discard' | 'send' | 'secure' }>;

/** Why a client is asked about: it has come, more of its bytes have, its FIN has, its time is over. */
type Occasion = 'news' | 'finished' | 'overdue';

type Rule = (client: ShadowArrival, why: Occasion, nowMs: number) => 'passes' | Standing;

/** An access list comes before all else, but waits for the header that may announce another client. */
const rules: readonly Rule[] = [
  ({ policy, client, mayAnnounce }) =>
    mayAnnounce || isWelcome(policy.access, client.address) ? 'passes' : { refused: 'denied' },
  ({ policy, mayAnnounce }) =>
    mayAnnounce || !requiresHeader(policy) ? 'passes' : { refused: 'bad-proxy-header' },
  (client, _, nowMs) => client.entersListener(nowMs),
  (client, why, nowMs) => client.announces(why, nowMs),
  (client) => (client.isWelcome() ? 'passes' : client.turnedAway('denied')),
  (client, _, nowMs) => client.entersAsClient(nowMs),
  (client, why, nowMs) => client.shakesHands(why, nowMs),
  (client, why, nowMs) => client.isRouted(why, nowMs),
];

export class ShadowArrival {
  /** As it is known by now. */
  client: End;
  entry: ShadowEntry | undefined;
  dueMs = Number.POSITIVE_INFINITY;
  announced: Announcement | undefined;
  /** Of what the client has said, what no backend may see. */
  headerBytes = 0;
  handshake: { readonly sni: string | undefined; readonly alpn: string | undefined } | undefined;
  readonly mayAnnounce: boolean;
  readonly asked: Asked[] = [];
  readonly #session: number;
  readonly #listener: ListenerPlan;
  readonly #speech: Speech;
  readonly #entrance: ShadowEntrance;
  #rule = 0;
  #isNewToRule = true;
  #words: Words;
  /** How many of the words were handed over. */
  #seen = 0;
  #name: string | undefined;
  #isNameUnclear = false;
  #isAskedFor = false;
  #isSecuring = false;
  /** What looking at the words has told; undefined where nobody had to look. */
  #known: Known | undefined;
  #hasSpoken = false;
  #hasFinished = false;

  constructor(
    session: number,
    client: End,
    speech: Speech,
    listener: ListenerPlan,
    entrance: ShadowEntrance,
  ) {
    this.#session = session;
    this.client = client;
    this.#speech = speech;
    this.#words = asWords(speech);
    this.#listener = listener;
    this.#entrance = entrance;
    const { proxyProtocol } = listener.policy;
    const { address } = client;
    this.mayAnnounce =
      proxyProtocol !== 'off' &&
      (address === 'unix' ? proxyProtocol.fromUnix : isIn(proxyProtocol.from, address));
  }

  get policy(): ListenerPolicy {
    return this.#listener.policy;
  }

  begin(nowMs: number): Standing {
    return this.#judge('news', nowMs);
  }

  received(length: number, nowMs: number): Standing {
    this.#seen = length;
    this.#hasSpoken ||= length > 0;
    return this.#judge('news', nowMs);
  }

  secured(alpn: string | undefined, nowMs: number): Standing {
    this.handshake = { sni: this.#name, alpn };
    this.#words = this.#speech.secret;
    this.#seen = 0;
    this.#hasSpoken = false;
    return this.#judge('news', nowMs);
  }

  finished(unsentBytes: number, nowMs: number): Standing {
    this.#hasFinished = true;
    return unsentBytes === 0 ? { refused: 'client-left' } : this.#judge('finished', nowMs);
  }

  due(nowMs: number): Standing {
    return this.#judge('overdue', nowMs);
  }

  /** Where it would go by another plan of its listener, with what is known of it now. */
  toBy(listener: ListenerPlan): PoolSlot | SplitPlan | undefined {
    const known = asAbsent(this.#withHandshake(this.#known ?? knownAfter(this.#words, 0, 'more')));
    const route = firstMatch(listener.routes, this.client.address, known);
    return typeof route === 'object' ? route.to : listener.pool;
  }

  get hasSpoken(): boolean {
    return this.#hasSpoken;
  }

  /** What the record says about what the client has said. */
  get sni(): string | undefined {
    const told = this.handshake === undefined ? (this.#name ?? this.#known?.sni) : this.handshake.sni;
    return told ?? this.announced?.authority;
  }

  get protocol(): string | undefined {
    const { left = [] } = this.#known ?? {};
    return left.length === 1 ? left[0] : this.handshake && 'tls';
  }

  get alpn(): string | undefined {
    return this.handshake?.alpn ?? this.announced?.alpn;
  }

  isWelcome(): boolean {
    return isWelcome(this.policy.access, this.client.address, this.announced !== undefined);
  }

  /** Whoever is not let in holds nothing from then on. */
  turnedAway(reason: Reason): Standing {
    if (this.entry !== undefined) this.#entrance.leave(this.entry);
    this.entry = undefined;
    return { refused: reason };
  }

  entersListener(nowMs: number): 'passes' | Standing {
    const entry = this.#entrance.admit(this.#listener, nowMs);
    if (typeof entry === 'string') return { refused: entry };
    this.entry = entry;
    return 'passes';
  }

  entersAsClient(nowMs: number): 'passes' | Standing {
    const refusal = this.entry && this.#entrance.admitClient(this.entry, this.#listener, this.client, nowMs);
    return refusal === undefined ? 'passes' : this.turnedAway(refusal);
  }

  /** A full valid header, or where it is optional anything that does not begin as one. */
  announces(why: Occasion, nowMs: number): 'passes' | Standing {
    const { proxyProtocol } = this.policy;
    if (proxyProtocol === 'off' || !this.mayAnnounce) return 'passes';
    const { header, words } = this.#speech;
    const isRequired = requiresHeader(this.policy);
    if (why !== 'news') {
      const hasBegun = header !== undefined && this.#seen >= header.begunAt;
      if (hasBegun || isRequired) return { refused: 'bad-proxy-header' };
      this.#seen = 0;
      return 'passes';
    }
    if (this.#isNewToRule) this.dueMs = nowMs + proxyProtocol.timeoutMs;
    if (header === undefined) {
      if (mayBeHeader(words.bytes.subarray(0, this.#seen))) return this.#inspect();
      return isRequired ? { refused: 'bad-proxy-header' } : 'passes';
    }
    if (this.#seen < header.decidedAt) return this.#inspect();
    if (header.says === 'nonsense') return { refused: 'bad-proxy-header' };
    this.#discard(header.bytes.length, words);
    if (header.says !== 'own') {
      this.announced = header.says;
      this.client = header.says.client;
    }
    return 'passes';
  }

  /** TLS, at once or after a request of postgres that was answered; nothing may lie behind that. */
  shakesHands(why: Occasion, nowMs: number): 'passes' | Standing {
    const { tls } = this.policy;
    if (tls === 'off' || this.handshake !== undefined) return 'passes';
    if (this.#isNewToRule) this.dueMs = nowMs + tls.handshakeTimeoutMs;
    if (why === 'overdue') return { refused: 'tls-failed' };
    if (why === 'finished') return { refused: 'tls-failed', with: 'fin' };
    if (this.#isSecuring) return 'waits';
    const { request, names, bytes, helloAt = 0 } = this.#words;
    if (this.#seen === 0) return this.#inspect();
    if (request !== undefined && !this.#isAskedFor) {
      if (this.#seen < request.bytes) return this.#inspect();
      if (this.#seen > request.bytes) return { refused: 'tls-failed', with: 'fin' };
      this.#isAskedFor = true;
      this.asked.push({ kind: 'send', session: this.#session, word: 'S' });
      this.#discard(request.bytes, request.then);
      return this.#inspect();
    }
    if (bytes[0] !== 0x16) return { refused: 'tls-failed', with: 'fin' };
    if (this.#seen < helloAt) return this.#inspect();
    this.#name = names.sni ?? undefined;
    this.#isNameUnclear = names.sni === undefined;
    this.#isSecuring = true;
    this.asked.push({ kind: 'secure', session: this.#session, tls, serverName: this.#name });
    return 'waits';
  }

  /** The first route that matches by what is known. A silent client has said nothing in the end. */
  isRouted(why: Occasion, nowMs: number): Standing {
    const { maxBytes, timeoutMs } = this.policy.inspect;
    if (this.#isNewToRule) {
      const standing = this.#routeBy(knownAfter(this.#words, 0, 'more'));
      if (standing !== 'waits') return standing;
      this.dueMs = nowMs + timeoutMs;
    }
    const isOver = why !== 'news' && !this.#isNewToRule;
    if (isOver && why === 'overdue' && this.#hasSpoken) return { refused: 'inspect-timeout' };
    const isEnd = isOver || (this.#hasFinished && this.#seen > 0);
    const isCut = this.#seen >= maxBytes;
    const read = Math.min(this.#seen, maxBytes);
    this.#known = knownAfter(this.#words, read, isEnd ? 'none' : isCut ? 'unseen' : 'more');
    const standing = this.#routeBy(this.#known);
    if (standing === 'waits') return this.#inspect();
    return isOver && why === 'overdue' && 'refused' in standing ? { refused: 'inspect-timeout' } : standing;
  }

  #judge(why: Occasion, nowMs: number): Standing {
    for (; ; this.#rule++, this.#isNewToRule = true) {
      const verdict = rules[this.#rule]?.(this, this.#isNewToRule ? 'news' : why, nowMs) ?? 'waits';
      if (verdict === 'passes') continue;
      this.#isNewToRule = false;
      return verdict;
    }
  }

  #routeBy(told: Known): Standing {
    const { routes, pool, policy } = this.#listener;
    const known = this.#withHandshake(told);
    const isTakenForAbsent = known.isAll && policy.inspect.undecided === 'fallback';
    const route = firstMatch(routes, this.client.address, isTakenForAbsent ? asAbsent(known) : known);
    // What may be the name that a route sends elsewhere goes nowhere.
    if (route === 'never-known') return { refused: 'no-route' };
    if (route === 'not-known-yet') return 'waits';
    const to = route === undefined ? pool : route.to;
    return to === undefined ? { refused: 'no-route' } : { to };
  }

  #withHandshake(known: Known): Known {
    if (this.handshake === undefined) return known;
    const { sni, alpn } = this.handshake;
    const isUndecided = this.#isNameUnclear && this.policy.inspect.undecided === 'refuse';
    return {
      ...known,
      sni: sni ?? (isUndecided ? undefined : null),
      alpn: alpn === undefined ? null : [alpn],
      isNameOver: true,
    };
  }

  #discard(bytes: number, then: Words): void {
    this.headerBytes += bytes;
    this.asked.push({ kind: 'discard', session: this.#session, bytes });
    this.#words = then;
    this.#seen -= bytes;
    this.#hasSpoken = this.#seen > 0;
  }

  #inspect(): Standing {
    this.asked.push({ kind: 'inspect', session: this.#session, beyond: this.#seen });
    return 'waits';
  }
}

function requiresHeader({ proxyProtocol }: ListenerPolicy): boolean {
  return proxyProtocol !== 'off' && proxyProtocol.mode === 'required';
}
