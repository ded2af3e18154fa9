/**
 * A client on its way to a pool: it goes through the gates, one after the other, until one makes it wait or refuses
 * it. What the gates learn of it is kept here, for those behind them and for the session's record.
 */
import type { Command, LinkId, TlsSession } from '../contract.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ListenerPermit } from '../limits.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { PoolSlot } from '../plan.ts';
import type { Route } from '../router.ts';
import type { Protocol } from '../wire/protocol.ts';
import type { ProxiedEnds, ProxyTlvs } from '../wire/proxy-header.ts';
import { type Facts, nothingYet, type Sniffer, settled } from '../wire/sniffer.ts';
import { noBytes, type Refusal, type Verdict, type WaitingClient } from './gate.ts';
import { gates } from './gates.ts';
import type { ListenerState } from './listener-state.ts';
import { decide } from './routing.ts';

export type AdmissionResult = 'waits' | 'routed' | Refusal;

export interface AdmissionContext {
  readonly ledger: Ledger;
  command(command: Command): void;
}

/** What a handshake with the client has settled. */
export interface TlsFacts {
  readonly serverName: string | undefined;
  readonly alpn: string | undefined;
}

export class Admission {
  readonly link: LinkId;
  readonly listener: ListenerState;
  readonly context: AdmissionContext;
  /** The other end of the connection, until a PROXY header says otherwise. */
  client: Endpoint;
  /** What it holds of the limits; the session releases it. */
  permit: ListenerPermit | undefined;
  /** What a PROXY header told. */
  announced: (ProxiedEnds & ProxyTlvs) | undefined;
  /** Of a handshake that has begun: the name in the hello. */
  serverName: string | undefined;
  tls: TlsFacts | undefined;
  /** What reads the first bytes, once they were asked for. */
  sniffer: Sniffer | undefined;
  /** What the routes say; undefined where none matches. */
  route: Route | undefined;
  /** Once it is routed; a pool may be missing from the plan. */
  pool: PoolSlot | undefined;
  /** What was handed over and no gate has discarded; empty once the event is dealt with. */
  held: Uint8Array = noBytes;
  /** What no gate has discarded of what it said was some; over TLS, of what it says in there. */
  hasSpoken = false;
  hasFinished = false;
  #at = 0;
  #waiting: WaitingClient | undefined;

  constructor(link: LinkId, peer: Endpoint, listener: ListenerState, context: AdmissionContext) {
    this.link = link;
    this.client = peer;
    this.listener = listener;
    this.context = context;
  }

  /** When what it waits for is overdue. */
  get dueMs(): number {
    return this.#waiting?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  /** Only limits and lists have judged it: nothing was learned of it. */
  get isPlain(): boolean {
    const { routes, policy } = this.listener.plan;
    return routes.length === 0 && policy.proxyProtocol === 'off' && policy.tls === 'off';
  }

  get sni(): string | undefined {
    const told = this.tls === undefined ? (this.serverName ?? this.sniffer?.facts.sni) : this.tls.serverName;
    return told ?? this.announced?.authority;
  }

  /** What client and server agreed on, here or at the proxy that announced the client. */
  get alpn(): string | undefined {
    return this.tls?.alpn ?? this.announced?.alpn;
  }

  get protocol(): Protocol | undefined {
    return this.sniffer?.protocol ?? (this.tls && 'tls');
  }

  get facts(): Facts {
    const { tls } = this;
    const facts = this.sniffer?.facts ?? nothingYet;
    if (tls === undefined) return facts;
    return { ...facts, sni: tls.serverName ?? null, alpn: tls.alpn === undefined ? null : [tls.alpn] };
  }

  begin(nowMs: number): AdmissionResult {
    return this.#run(nowMs);
  }

  received(bytes: Uint8Array, nowMs: number): AdmissionResult {
    this.held = bytes;
    this.hasSpoken ||= bytes.length > 0;
    return this.#goOn(this.#waiting?.received(bytes), nowMs);
  }

  tlsEstablished({ serverName, alpn }: Omit<TlsSession, 'version'>, nowMs: number): AdmissionResult {
    this.serverName = serverName ?? this.serverName;
    return this.#goOn(this.#waiting?.tlsEstablished?.({ serverName: this.serverName, alpn }), nowMs);
  }

  tlsFailed(detail: string, nowMs: number): AdmissionResult {
    return this.#goOn(this.#waiting?.tlsFailed?.(detail), nowMs);
  }

  /** The client has sent FIN; what came before it was handed over. */
  finished(heldBytes: number, nowMs: number): AdmissionResult {
    this.hasFinished = true;
    if (heldBytes === 0) return { reason: 'client-left' };
    return this.#goOn(this.#waiting?.finished(), nowMs);
  }

  /** `dueMs` is over. */
  expired(nowMs: number): AdmissionResult {
    return this.#goOn(this.#waiting?.expired(), nowMs);
  }

  /** Asks for more bytes than are held. */
  inspect(): 'waits' {
    this.context.command({ kind: 'inspect', link: this.link, beyond: this.held.length });
    return 'waits';
  }

  discard(bytes: number): void {
    this.context.command({ kind: 'discard', link: this.link, bytes });
    this.held = this.held.subarray(bytes);
    this.hasSpoken = this.held.length > 0;
  }

  releasePermit(): void {
    this.permit?.release();
    this.permit = undefined;
  }

  /** The pool by another plan of the listener, now that all is known that ever will be. */
  poolBy(listener: ListenerState): PoolSlot | undefined {
    const route = decide(listener, this.client, settled(this.facts));
    return typeof route === 'object' ? route.takePool() : listener.plan.pool;
  }

  #goOn(verdict: Verdict = 'waits', nowMs: number): AdmissionResult {
    const result = verdict === 'passes' ? this.#next(nowMs) : verdict;
    this.held = noBytes;
    return result;
  }

  #next(nowMs: number): AdmissionResult {
    this.#waiting = undefined;
    this.#at++;
    return this.#run(nowMs);
  }

  #run(nowMs: number): AdmissionResult {
    for (let gate = gates[this.#at]; gate !== undefined; gate = gates[++this.#at]) {
      const verdict = gate.enter(this, nowMs);
      if (verdict === 'passes') continue;
      if ('reason' in verdict) return verdict;
      this.#waiting = verdict;
      return 'waits';
    }
    return 'routed';
  }
}
