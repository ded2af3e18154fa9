/** A client on its way to a pool, as the gates see it: what they learn of it is kept here, for those behind them. */
import type { Command, LinkId, TlsSession } from '../contract.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { ListenerPermit } from '../limits.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan, PoolSlot } from '../plan.ts';
import type { MatchedRoute, Router } from '../router.ts';
import type { Protocol } from '../wire/protocol.ts';
import type { ProxiedEnds, ProxyTlvs } from '../wire/proxy-header.ts';
import { type FirstBytesReader, nothingYet, type ObservedFacts } from '../wire/sniffer.ts';

/** A listener by one plan, the router of its routes, and the pools that these mean. */
export interface ListenerState {
  readonly plan: ListenerPlan;
  readonly router: Router;
  /** A slot may be given to another pool while a client is admitted. */
  readonly poolNames: ReadonlyMap<PoolSlot, string>;
}

export interface AdmissionContext {
  readonly ledger: Ledger;
  command(command: Command): void;
  /** Where it is told beforehand what clients say first. */
  readonly readFirstBytes?: (() => FirstBytesReader) | undefined;
}

export const noBytes = new Uint8Array(0);

export class PendingClient {
  readonly link: LinkId;
  readonly listener: ListenerState;
  readonly context: AdmissionContext;
  /** The other end of the connection, until a PROXY header says otherwise. */
  endpoint: Endpoint;
  /** What it holds of the limits; the session releases it. */
  permit: ListenerPermit | undefined;
  /** What a PROXY header told. */
  announced: (ProxiedEnds & ProxyTlvs) | undefined;
  /** The name in the hello, once the handshake has begun. */
  serverName: string | undefined;
  /** Its hello was malformed or too long: without a name from the handshake, nobody can tell which one it asks for. */
  isNameUnclear = false;
  /** What its handshake has settled. */
  tls: TlsSession | undefined;
  /** What reads the first bytes, once they were asked for. */
  sniffer: FirstBytesReader | undefined;
  /** What the routes say; undefined where none matches. */
  route: MatchedRoute | undefined;
  /** Once it is routed; a pool may be missing from the plan. */
  pool: PoolSlot | undefined;
  /** What was handed over and no gate has discarded; empty once the event is dealt with. */
  held: Uint8Array = noBytes;
  /** What no gate has discarded of what it said was some; over TLS, of what it says in there. */
  hasSpoken = false;
  hasFinished = false;

  constructor(link: LinkId, peer: Endpoint, listener: ListenerState, context: AdmissionContext) {
    this.link = link;
    this.endpoint = peer;
    this.listener = listener;
    this.context = context;
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

  get facts(): ObservedFacts {
    const { tls } = this;
    const facts = this.sniffer?.facts ?? nothingYet;
    if (tls === undefined) return facts;
    const sni = tls.serverName ?? (this.isNameUnclear ? undefined : null);
    return { ...facts, sni, alpn: tls.alpn === undefined ? null : [tls.alpn], isHelloFinal: true };
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
    this.permit?.release(this.context.ledger);
    this.permit = undefined;
  }
}
