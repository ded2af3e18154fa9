/**
 * What a client must be asked for and what must become of it until it has a pool, worked out from what it says
 * and from how much of that was handed over.
 */
import type { Client, Command } from '../../src/core/contract.ts';
import type { ListenerPlan, PoolSlot, SplitPlan } from '../../src/core/plan.ts';
import type { Reason } from '../../src/core/reasons.ts';
import { isIn, isWelcome } from './neighbourhood.ts';
import type { ShadowEntrance, ShadowEntry } from './shadow-entrance.ts';
import { asAbsent, firstMatch, type Known, knownAfter } from './shadow-routes.ts';
import { type Announcement, asWords, mayBeHeader, type Speech, type Words } from './speech.ts';

/** Where a client stands: nothing more can be said, it is refused or has left, or it goes to a pool. */
export type Standing = 'waits' | { readonly refused: Reason } | { readonly to: PoolSlot | SplitPlan };

/** What must be commanded now, in this order. */
export type Asked = Extract<Command, { readonly kind: 'inspect' | 'discard' | 'secure' }>;

type Handshake = { readonly sni: string | undefined; readonly alpn: string | undefined };

export class ShadowArrival {
  /** As it is known by now. */
  client: Client;
  entry: ShadowEntry | undefined;
  dueMs = Number.POSITIVE_INFINITY;
  announced: Announcement | undefined;
  /** Of what the client has said, what no backend may see. */
  headerBytes = 0;
  handshake: Handshake | undefined;
  readonly asked: Asked[] = [];
  readonly #session: number;
  readonly #listener: ListenerPlan;
  readonly #speech: Speech;
  readonly #entrance: ShadowEntrance;
  #step: 'header' | 'handshake' | 'first-bytes' = 'header';
  #words: Words;
  /** How many of the words were handed over. */
  #seen = 0;
  /** What looking at the words has told; undefined where nobody had to look. */
  #known: Known | undefined;
  #isHeaderWanted = false;
  #hasSpoken = false;
  #hasFinished = false;

  constructor(
    session: number,
    client: Client,
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
  }

  begin(nowMs: number): Standing {
    const { access, proxyProtocol } = this.#listener.policy;
    const { address } = this.client;
    this.#isHeaderWanted =
      proxyProtocol !== 'off' &&
      (address === 'unix' ? proxyProtocol.fromUnix : isIn(proxyProtocol.from, address));
    if (!this.#isHeaderWanted) {
      if (!isWelcome(access, address)) return { refused: 'denied' };
      if (this.#isHeaderRequired) return { refused: 'bad-proxy-header' };
    }
    const entry = this.#entrance.admit(this.#listener, nowMs);
    if (typeof entry === 'string') return { refused: entry };
    this.entry = entry;
    if (proxyProtocol === 'off' || !this.#isHeaderWanted) return this.#introduced(nowMs);
    this.dueMs = nowMs + proxyProtocol.timeoutMs;
    return this.#waitForBytes();
  }

  received(length: number, nowMs: number): Standing {
    this.#seen = length;
    this.#hasSpoken ||= length > 0;
    return this.#step === 'header' ? this.#readHeader(nowMs) : this.#judge();
  }

  secured(handshake: Handshake, nowMs: number): Standing {
    this.handshake = handshake;
    this.#words = this.#speech.secret;
    this.#seen = 0;
    this.#hasSpoken = false;
    return this.#look(nowMs);
  }

  finished(unsentBytes: number, nowMs: number): Standing {
    this.#hasFinished = true;
    if (unsentBytes === 0) return { refused: 'client-left' };
    if (this.#step === 'header') return this.#withoutHeader(nowMs);
    return this.#step === 'handshake' ? 'waits' : this.#judge('none');
  }

  due(nowMs: number): Standing {
    if (this.#step === 'header') return this.#withoutHeader(nowMs);
    if (this.#step === 'handshake') return { refused: 'tls-failed' };
    const standing = this.#hasSpoken ? undefined : this.#judge('none');
    return typeof standing === 'object' && 'to' in standing ? standing : { refused: 'inspect-timeout' };
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
    const own = this.handshake === undefined ? this.#known?.sni : this.handshake.sni;
    return own ?? this.announced?.authority;
  }

  get protocol(): string | undefined {
    const { left = [] } = this.#known ?? {};
    return left.length === 1 ? left[0] : this.handshake && 'tls';
  }

  get alpn(): string | undefined {
    return this.handshake?.alpn ?? this.announced?.alpn;
  }

  get #isHeaderRequired(): boolean {
    const { proxyProtocol } = this.#listener.policy;
    return proxyProtocol !== 'off' && proxyProtocol.mode === 'required';
  }

  #readHeader(nowMs: number): Standing {
    const { header, words } = this.#speech;
    if (header === undefined) {
      if (mayBeHeader(words.bytes.subarray(0, this.#seen))) return this.#waitForBytes();
      return this.#isHeaderRequired ? { refused: 'bad-proxy-header' } : this.#introduced(nowMs);
    }
    if (this.#seen < header.decidedAt) return this.#waitForBytes();
    if (header.says === 'nonsense') return { refused: 'bad-proxy-header' };
    this.headerBytes = header.bytes.length;
    this.asked.push({ kind: 'discard', session: this.#session, bytes: this.headerBytes });
    this.#words = words;
    this.#seen -= this.headerBytes;
    this.#hasSpoken = this.#seen > 0;
    if (header.says !== 'own') {
      this.announced = header.says;
      this.client = header.says.client;
    }
    return this.#introduced(nowMs);
  }

  #withoutHeader(nowMs: number): Standing {
    const { header } = this.#speech;
    const hasBegun = header !== undefined && this.#seen >= header.begunAt;
    if (hasBegun || this.#isHeaderRequired) return { refused: 'bad-proxy-header' };
    this.#seen = 0;
    return this.#introduced(nowMs);
  }

  #introduced(nowMs: number): Standing {
    const { access, tls } = this.#listener.policy;
    if (!isWelcome(access, this.client.address, this.announced !== undefined))
      return this.#turnAway('denied');
    const refusal = this.entry && this.#entrance.admitClient(this.entry, this.#listener, this.client, nowMs);
    if (refusal !== undefined) return this.#turnAway(refusal);
    if (tls === 'off') return this.#look(nowMs);
    this.#step = 'handshake';
    this.dueMs = nowMs + tls.handshakeTimeoutMs;
    this.asked.push({ kind: 'secure', session: this.#session, tls });
    return 'waits';
  }

  /** Who is not let in holds nothing from then on. */
  #turnAway(reason: Reason): Standing {
    if (this.entry !== undefined) this.#entrance.leave(this.entry);
    this.entry = undefined;
    return { refused: reason };
  }

  #look(nowMs: number): Standing {
    const standing = this.#route(knownAfter(this.#words, 0, 'more'));
    if (standing !== 'waits') return standing;
    this.#step = 'first-bytes';
    this.dueMs = nowMs + this.#listener.policy.inspect.timeoutMs;
    return this.#judge();
  }

  /** `none`: no more will come, or is waited for. */
  #judge(then: 'more' | 'none' = 'more'): Standing {
    const { maxBytes } = this.#listener.policy.inspect;
    const isEnd = then === 'none' || (this.#hasFinished && this.#seen > 0);
    const isCut = this.#seen >= maxBytes;
    const read = Math.min(this.#seen, maxBytes);
    this.#known = knownAfter(this.#words, read, isEnd ? 'none' : isCut ? 'unseen' : 'more');
    const standing = this.#route(this.#known);
    return standing === 'waits' ? this.#waitForBytes() : standing;
  }

  #route(told: Known): Standing {
    const { routes, pool, policy } = this.#listener;
    const known = this.#withHandshake(told);
    const isTakenForAbsent = known.isAll && policy.inspect.undecided === 'fallback';
    const route = firstMatch(routes, this.client.address, isTakenForAbsent ? asAbsent(known) : known);
    // What may be the name that a route sends elsewhere goes nowhere.
    if (route === 'not-known') return known.isAll ? { refused: 'no-route' } : 'waits';
    const to = route === undefined ? pool : route.to;
    return to === undefined ? { refused: 'no-route' } : { to };
  }

  #withHandshake(known: Known): Known {
    if (this.handshake === undefined) return known;
    const { sni, alpn } = this.handshake;
    return { ...known, sni: sni ?? null, alpn: alpn === undefined ? null : [alpn] };
  }

  #waitForBytes(): Standing {
    this.asked.push({ kind: 'inspect', session: this.#session, beyond: this.#seen });
    return 'waits';
  }
}
