/**
 * What must become of a client until it has a pool. Each rule below asks about what is known of the client and of no
 * other rule, and all are asked each time, in no order. If any refuses the client, it must be refused, for a reason
 * that one of these gives; else, if any can't tell yet, it must be waited for; else it must go to the pool of its
 * route.
 *
 * What a client says is known beforehand, with its meaning; here is only how much of it was handed over. It comes in
 * parts, one behind the other: a header, a hello, the words that routes look at.
 */
import type { ListenerPlan, ListenerPolicy, PoolSlot, SplitPlan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import { isIn, isWelcome } from './neighbourhood.ts';
import type { ShadowEntrance, ShadowEntry } from './shadow-entrance.ts';
import { asAbsent, firstMatch, type Known, knownAfter } from './shadow-routes.ts';
import { type Announcement, asWords, mayBeHeader, type Speech, type Words } from './speech.ts';
import type { End, ToldCommand } from './told.ts';

/** A client waits for something of its own, is refused or has left, or goes to a pool. */
export type Standing = 'waits' | { readonly refused: readonly Refusal[] } | { readonly to: Destination };

export interface Refusal {
  readonly reason: Reason;
  /** However its listener refuses others. */
  readonly with?: 'fin';
}

type Destination = PoolSlot | SplitPlan;

/** What must be commanded now, besides what becomes of the client. */
export type Asked = Extract<ToldCommand, { readonly kind: 'inspect' | 'discard' | 'send' | 'secure' }>;

type Finding = 'fine' | 'open' | Refusal;

/** Who they are. Whoever is refused here takes no place and no token. */
const identityRules: readonly ((client: ShadowArrival) => Finding)[] = [
  // The access list judges who a client is: of somebody who may announce another, only what the header says tells it.
  ({ header, mayAnnounce, isWelcome }) => {
    if (mayAnnounce && header !== 'none' && header !== 'told') return 'open';
    return isWelcome ? 'fine' : { reason: 'denied' };
  },
  // A header is whole and valid, and where one is required it is there.
  ({ header }) => {
    if (header === 'missing' || header === 'broken') return { reason: 'bad-proxy-header' };
    return header === 'open' ? 'open' : 'fine';
  },
];

const otherRules: readonly ((client: ShadowArrival) => Finding)[] = [
  ({ listenerRefusal }) => (listenerRefusal === undefined ? 'fine' : { reason: listenerRefusal }),
  ({ clientRefusal }) => (clientRefusal === undefined ? 'fine' : { reason: clientRefusal }),
  // Where TLS ends here, a client shakes hands in time.
  ({ policy, handshake, part, partEnd, isNoHello }) => {
    if (policy.tls === 'off' || handshake !== undefined) return 'fine';
    if (part !== 'hello') return 'open';
    if (partEnd === 'silence') return { reason: 'tls-failed' };
    return partEnd === 'fin' || isNoHello ? { reason: 'tls-failed', with: 'fin' } : 'open';
  },
  // A client that has begun to speak says all that a route asks for, and some route or the listener has a pool for it.
  (client) => {
    const { part, route, partEnd, hasSpoken, mustListen } = client;
    if (part !== 'words') return 'open';
    const isLate = partEnd === 'silence' && mustListen;
    if (isLate && (hasSpoken || route === undefined)) return { reason: 'inspect-timeout' };
    if (route === 'open') return 'open';
    return route === undefined ? { reason: 'no-route' } : 'fine';
  },
];

export class ShadowArrival {
  /** As it is known by now. */
  client: End;
  entry: ShadowEntry | undefined;
  announced: Announcement | undefined;
  header: 'open' | 'none' | 'told' | 'missing' | 'broken' = 'open';
  listenerRefusal: Reason | undefined;
  clientRefusal: Reason | undefined;
  handshake: { readonly sni: string | undefined; readonly alpn: string | undefined } | undefined;
  /** It said something else where a hello was due. */
  isNoHello = false;
  /** What it is to say now, by when, and why no more of that comes. */
  part: 'header' | 'hello' | 'words' = 'header';
  dueMs = Number.POSITIVE_INFINITY;
  partEnd: 'fin' | 'silence' | undefined;
  /** Of what the client has said, what no backend may see. */
  headerBytes = 0;
  readonly mayAnnounce: boolean;
  readonly asked = new Set<string>();
  readonly #session: number;
  readonly #listener: ListenerPlan;
  readonly #speech: Speech;
  readonly #entrance: ShadowEntrance;
  #words: Words;
  /** How many of the words were handed over. */
  #seen = 0;
  #name: string | undefined;
  #isNameUnclear = false;
  #isAskedFor = false;
  #isHandshaking = false;
  #isClientAdmitted = false;
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
    this.#begin('header', nowMs);
    return this.#judge(nowMs);
  }

  received(length: number, nowMs: number): Standing {
    this.#seen = length;
    this.#hasSpoken ||= length > 0;
    return this.#judge(nowMs);
  }

  secured(alpn: string | undefined, nowMs: number): Standing {
    this.handshake = { sni: this.#name, alpn };
    this.#isHandshaking = false;
    this.#words = this.#speech.secret;
    this.#seen = 0;
    this.#hasSpoken = false;
    this.#begin('words', nowMs);
    return this.#judge(nowMs);
  }

  finished(unsentBytes: number, nowMs: number): Standing {
    this.#hasFinished = true;
    this.partEnd = 'fin';
    return unsentBytes === 0 ? { refused: [{ reason: 'client-left' }] } : this.#judge(nowMs);
  }

  due(nowMs: number): Standing {
    this.partEnd = 'silence';
    return this.#judge(nowMs);
  }

  /** Where it would go by another plan of its listener, with what is known of it now. */
  toBy(listener: ListenerPlan): Destination | undefined {
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

  get isWelcome(): boolean {
    return isWelcome(this.policy.access, this.client.address, this.announced !== undefined);
  }

  /** Whether a route asks for words. */
  get mustListen(): boolean {
    return this.#routeBy(knownAfter(this.#words, 0, 'more')) === 'open';
  }

  /** Where it goes by what is known of it; undefined where nowhere. A silent client has said nothing in the end. */
  get route(): Destination | 'open' | undefined {
    return this.#routeBy(this.mustListen && this.#known ? this.#known : knownAfter(this.#words, 0, 'more'));
  }

  #judge(nowMs: number): Standing {
    if (this.part === 'header') this.#listenToHeader();
    this.#takePlaces(nowMs);
    if (this.#findings.every((finding) => typeof finding !== 'object')) this.#listen(nowMs);
    const findings = this.#findings;
    const refused = findings.filter((finding) => typeof finding === 'object');
    if (refused.length > 0) return this.#turnedAway(refused);
    if (!findings.includes('open') && this.route !== undefined && this.route !== 'open')
      return { to: this.route };
    if (!this.#isHandshaking) this.#ask({ kind: 'inspect', session: this.#session, beyond: this.#seen });
    return 'waits';
  }

  get #findings(): readonly Finding[] {
    return [...identityRules, ...otherRules].map((rule) => rule(this));
  }

  /** Nobody looks at what a client says that is refused for who it is, or for want of room. */
  #listen(nowMs: number): void {
    if (this.part === 'header' && this.header !== 'open')
      this.#begin(this.policy.tls === 'off' ? 'words' : 'hello', nowMs);
    if (this.part === 'header') return;
    if (this.part === 'hello') this.#listenToHello();
    else if (this.mustListen) this.#listenToWords();
  }

  #begin(part: 'header' | 'hello' | 'words', nowMs: number): void {
    const { proxyProtocol, tls, inspect } = this.policy;
    const timeoutsMs = {
      header: proxyProtocol === 'off' ? 0 : proxyProtocol.timeoutMs,
      hello: tls === 'off' ? 0 : tls.handshakeTimeoutMs,
      words: inspect.timeoutMs,
    };
    this.part = part;
    this.partEnd = undefined;
    this.dueMs = nowMs + timeoutsMs[part];
  }

  /** A full valid header, or anything that does not begin as one. */
  #listenToHeader(): void {
    const { header, words } = this.#speech;
    if (!this.mayAnnounce) {
      this.header = 'none';
    } else if (this.partEnd !== undefined) {
      this.header = header !== undefined && this.#seen >= header.begunAt ? 'broken' : 'none';
      this.#seen = 0;
    } else if (header === undefined) {
      this.header = mayBeHeader(words.bytes.subarray(0, this.#seen)) ? 'open' : 'none';
    } else if (this.#seen >= header.decidedAt) {
      this.header = header.says === 'nonsense' ? 'broken' : 'told';
      if (header.says === 'nonsense') return;
      this.#discard(header.bytes.length, words);
      if (header.says === 'own') return;
      this.announced = header.says;
      this.client = header.says.client;
    }
    if (this.header === 'none' && requiresHeader(this.policy)) this.header = 'missing';
  }

  /** A hello, at once or after a request of postgres that was answered; nothing may lie behind that. */
  #listenToHello(): void {
    const { tls } = this.policy;
    if (tls === 'off' || this.#isHandshaking || this.partEnd !== undefined || this.#seen === 0) return;
    const { request, names, bytes, helloAt = 0 } = this.#words;
    if (request !== undefined && !this.#isAskedFor) {
      this.isNoHello = this.#seen > request.bytes;
      if (this.#seen !== request.bytes) return;
      this.#isAskedFor = true;
      this.#ask({ kind: 'send', session: this.#session, word: 'S' });
      this.#discard(request.bytes, request.then);
      return;
    }
    this.isNoHello = bytes[0] !== 0x16;
    if (this.isNoHello || this.#seen < helloAt) return;
    this.#name = names.sni ?? undefined;
    this.#isNameUnclear = names.sni === undefined;
    this.#isHandshaking = true;
    this.#ask({ kind: 'secure', session: this.#session, tls, serverName: this.#name });
  }

  #listenToWords(): void {
    if (this.partEnd === 'silence' && this.#hasSpoken) return;
    const { maxBytes } = this.policy.inspect;
    const isEnd = this.partEnd !== undefined || (this.#hasFinished && this.#seen > 0);
    const then = isEnd ? 'none' : this.#seen >= maxBytes ? 'unseen' : 'more';
    this.#known = knownAfter(this.#words, Math.min(this.#seen, maxBytes), then);
  }

  /** Once each: a place at the listener as it comes, one among its like as soon as it is known who it is. */
  #takePlaces(nowMs: number): void {
    const identity = identityRules.map((rule) => rule(this));
    if (identity.some((finding) => typeof finding === 'object')) return;
    if (this.entry === undefined) {
      const admitted = this.#entrance.admit(this.#listener, nowMs);
      if (typeof admitted === 'string') this.listenerRefusal = admitted;
      else this.entry = admitted;
    }
    if (this.entry === undefined || this.#isClientAdmitted || identity.includes('open')) return;
    this.#isClientAdmitted = true;
    this.clientRefusal = this.#entrance.admitClient(this.entry, this.#listener, this.client, nowMs);
  }

  /** Whoever is not let in holds nothing from then on; whoever is, holds its places until it has gone. */
  #turnedAway(refused: readonly Refusal[]): Standing {
    const isLetIn = refused.every(({ reason }) => !notLetIn.has(reason));
    if (this.entry !== undefined && !isLetIn) {
      this.#entrance.leave(this.entry);
      this.entry = undefined;
    }
    return { refused };
  }

  #routeBy(told: Known): Destination | 'open' | undefined {
    const { routes, pool, policy } = this.#listener;
    const known = this.#withHandshake(told);
    const isTakenForAbsent = known.isAll && policy.inspect.undecided === 'fallback';
    const route = firstMatch(routes, this.client.address, isTakenForAbsent ? asAbsent(known) : known);
    // What may be the name that a route sends elsewhere goes nowhere.
    if (route === 'never-known') return undefined;
    if (route === 'not-known-yet') return 'open';
    return route === undefined ? pool : route.to;
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
    this.#ask({ kind: 'discard', session: this.#session, bytes });
    this.#words = then;
    this.#seen -= bytes;
    this.#hasSpoken = this.#seen > 0;
  }

  #ask(command: Asked): void {
    this.asked.add(JSON.stringify(command));
  }
}

const notLetIn: ReadonlySet<Reason> = new Set(['denied', 'rate-limited', 'listener-full', 'client-full']);

function requiresHeader({ proxyProtocol }: ListenerPolicy): boolean {
  return proxyProtocol !== 'off' && proxyProtocol.mode === 'required';
}
