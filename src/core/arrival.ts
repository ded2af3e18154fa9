/**
 * What a client passes before it has a pool, each step where its listener asks for it:
 *
 *     listener's limits ─▶ PROXY header ─▶ access list, client's limits ─▶ TLS handshake ─▶ first bytes ─▶ routed
 *
 * Every step has a time; what has not come by then, and anything that must not be, refuses the client.
 */
import { isDenied } from './access/access-policy.ts';
import { contains } from './access/address-set.ts';
import { addressWords } from './addresses.ts';
import type { Client, Command, CoreEvent, SessionId } from './contract.ts';
import type { Ledger } from './ledger/ledger.ts';
import { admit, Entry } from './limits.ts';
import type { ListenerPlan, PoolSlot, ProxyProtocolPolicy } from './plan.ts';
import type { Reason } from './reasons.ts';
import type { Router } from './router.ts';
import type { Protocol } from './wire/protocol.ts';
import type { ProxyTlvs } from './wire/proxy-header.ts';
import { ProxyHeaderParser } from './wire/proxy-reading.ts';
import { type Facts, nothingYet, Sniffer, settled } from './wire/sniffer.ts';

/** Where a client stands: it waits for something of its own, has its pool, or is refused, or has left. */
export type Standing = 'waiting' | 'routed' | Reason;

/** A listener as it was when the client came, the router of its routes, and the pools that these mean. */
export interface Entrance {
  readonly plan: ListenerPlan;
  readonly router: Router;
  /** A slot may go to another pool while the client arrives. */
  readonly poolNames: ReadonlyMap<PoolSlot, string>;
}

interface Surroundings {
  readonly ledger: Ledger;
  command(command: Command): void;
}

export class Arrival {
  /** Who it is: the other end of its connection, until a PROXY header says otherwise. */
  client: Client;
  /** What it holds of the limits once it was let in; the session releases it. */
  entry: Entry | undefined;
  /** When what it waits for is overdue. */
  dueMs = Number.POSITIVE_INFINITY;
  /** Once it is routed; a pool may be missing from the plan. */
  pool: PoolSlot | undefined;
  /** What a PROXY header told beside the client. */
  destination: Client | undefined;
  tlvs: ProxyTlvs | undefined;
  /** What the handshake settled, where TLS is terminated here. */
  tls: Pick<Extract<CoreEvent, { readonly kind: 'secured' }>, 'sni' | 'alpn'> | undefined;
  readonly entrance: Entrance;
  readonly #id: SessionId;
  readonly #around: Surroundings;
  #step: 'header' | 'handshake' | 'first-bytes' = 'header';
  #header: ProxyHeaderParser | undefined;
  #sniffer: Sniffer | undefined;
  #hasSentBytes = false;
  #hasFinished = false;

  constructor(id: SessionId, client: Client, entrance: Entrance, around: Surroundings) {
    this.#id = id;
    this.client = client;
    this.entrance = entrance;
    this.#around = around;
  }

  /** Whether a client that has just left had sent nothing, but for a header about it, that wanted to be looked at. */
  saidNothing(event: Extract<CoreEvent, { readonly kind: 'ended' }>): boolean {
    return this.#step === 'handshake' ? event.saidNothing === true : !this.#hasSentBytes;
  }

  /** It has only been judged by limits and lists: nothing was learned of it. */
  get isPlain(): boolean {
    const { routes, policy } = this.entrance.plan;
    return routes.length === 0 && policy.proxyProtocol === 'off' && policy.tls === 'off';
  }

  get sni(): string | undefined {
    return this.#facts.sni ?? this.tlvs?.authority;
  }

  /** What client and server agreed on, here or at the proxy that announced the client. */
  get alpn(): string | undefined {
    return this.tls?.alpn ?? this.tlvs?.alpn;
  }

  get protocol(): Protocol | undefined {
    return this.#sniffer?.protocol ?? (this.tls && 'tls');
  }

  begin(nowMs: number): Standing {
    const { slot, policy } = this.entrance.plan;
    const { proxyProtocol } = policy;
    const awaitsHeader = proxyProtocol !== 'off' && isBelieved(proxyProtocol, this.client);
    if (!awaitsHeader) {
      if (isDenied(policy.access, this.client)) return 'denied';
      if (proxyProtocol !== 'off' && proxyProtocol.mode === 'required') return 'bad-proxy-header';
    }
    const entry = admit(this.#around.ledger, slot, policy.limits, nowMs);
    if (!(entry instanceof Entry)) return entry;
    this.entry = entry;
    if (!awaitsHeader) return this.#introduced(noBytes, nowMs);
    this.#header = new ProxyHeaderParser();
    this.dueMs = nowMs + proxyProtocol.timeoutMs;
    return this.#await(noBytes);
  }

  received(bytes: Uint8Array, nowMs: number): Standing {
    this.#hasSentBytes ||= bytes.length > 0;
    switch (this.#step) {
      case 'header':
        return this.#readHeader(bytes, nowMs);
      case 'handshake':
        return 'waiting';
      case 'first-bytes':
        return this.#sniff(bytes);
    }
  }

  secured(
    tls: { readonly sni: string | undefined; readonly alpn: string | undefined },
    nowMs: number,
  ): Standing {
    this.tls = tls;
    this.#hasSentBytes = false;
    return this.#look(noBytes, nowMs);
  }

  /** The client has sent FIN; what it sent before was handed over, but for what came before a handshake's end. */
  finished(unsentBytes: number, nowMs: number): Standing {
    this.#hasFinished = true;
    if (unsentBytes === 0) return 'client-left';
    switch (this.#step) {
      case 'header':
        return this.#withoutHeader(nowMs);
      case 'handshake':
        return 'waiting';
      case 'first-bytes':
        return this.#routeByWhatCame();
    }
  }

  /** The time of a step is over. */
  due(nowMs: number): Standing {
    switch (this.#step) {
      case 'header':
        return this.#withoutHeader(nowMs);
      case 'handshake':
        return 'tls-failed';
      case 'first-bytes':
        // Who is silent may wait for a server that speaks first; who has begun to speak should have gone on.
        if (this.#hasSentBytes) return 'inspect-timeout';
        return this.#routeByWhatCame() === 'routed' ? 'routed' : 'inspect-timeout';
    }
  }

  /** Where it would go by another plan of its listener, now that all is known of it that ever will. */
  poolBy(entrance: Entrance): PoolSlot | undefined {
    const route = this.#routeBy(entrance, settled(this.#facts));
    return typeof route === 'object' ? route.takePool() : entrance.plan.pool;
  }

  #readHeader(bytes: Uint8Array, nowMs: number): Standing {
    const found = this.#header?.read(bytes) ?? { state: 'not-this' };
    switch (found.state) {
      case 'need-more':
        return this.#await(bytes);
      case 'broken':
        return 'bad-proxy-header';
      case 'not-this':
        return this.#isHeaderRequired ? 'bad-proxy-header' : this.#introduced(bytes, nowMs);
      case 'found': {
        this.#around.command({ kind: 'discard', session: this.#id, bytes: found.length });
        this.#hasSentBytes = bytes.length > found.length;
        if (found.header.source === 'proxied') {
          this.client = found.header.client;
          this.destination = found.header.destination;
          this.tlvs = found.header;
        }
        return this.#introduced(bytes.subarray(found.length), nowMs);
      }
    }
  }

  /** No header will come, or none in time. */
  #withoutHeader(nowMs: number): Standing {
    if (this.#isHeaderRequired || this.#header?.begun) return 'bad-proxy-header';
    return this.#introduced(noBytes, nowMs);
  }

  get #isAnnounced(): boolean {
    return this.destination !== undefined;
  }

  get #isHeaderRequired(): boolean {
    const { proxyProtocol } = this.entrance.plan.policy;
    return proxyProtocol !== 'off' && proxyProtocol.mode === 'required';
  }

  /** It is known who the client is. */
  #introduced(bytes: Uint8Array, nowMs: number): Standing {
    const { access, limits, tls } = this.entrance.plan.policy;
    if (this.#header !== undefined && isDenied(access, this.client, this.#isAnnounced))
      return this.#release('denied');
    const refusal = this.entry?.admitClient(limits.perClient, this.client, nowMs);
    if (refusal !== undefined) return this.#release(refusal);
    if (tls === 'off') return this.#look(bytes, nowMs);
    this.#step = 'handshake';
    this.dueMs = nowMs + tls.handshakeTimeoutMs;
    this.#around.command({ kind: 'secure', session: this.#id, tls });
    return 'waiting';
  }

  #release(reason: Reason): Reason {
    this.entry?.release();
    this.entry = undefined;
    return reason;
  }

  /** Routes by what is known, or begins to look at the first bytes. */
  #look(bytes: Uint8Array, nowMs: number): Standing {
    const standing = this.#route();
    if (standing !== 'waiting') return standing;
    this.#step = 'first-bytes';
    this.#sniffer = new Sniffer();
    this.dueMs = nowMs + this.entrance.plan.policy.inspect.timeoutMs;
    return this.#sniff(bytes);
  }

  #sniff(bytes: Uint8Array): Standing {
    const { maxBytes } = this.entrance.plan.policy.inspect;
    const hasLearned = this.#sniffer?.read(bytes.subarray(0, maxBytes));
    if (this.#hasFinished && bytes.length > 0) return this.#routeByWhatCame();
    if (bytes.length >= maxBytes) this.#sniffer?.cut();
    // Routes are asked only what has changed: a segment that tells nothing costs the same with 1,000 of them.
    else if (!hasLearned) return this.#await(bytes);
    const standing = this.#route();
    return standing === 'waiting' ? this.#await(bytes) : standing;
  }

  /** Nothing more will come, or it is waited for no longer. */
  #routeByWhatCame(): Standing {
    this.#sniffer?.end();
    return this.#route();
  }

  #route(): Standing {
    const route = this.#routeBy(this.entrance, this.#facts);
    if (route === 'needs-bytes') return 'waiting';
    if (route === 'undecided') return 'no-route';
    this.pool = route === undefined ? this.entrance.plan.pool : route.takePool();
    return this.pool === undefined ? 'no-route' : 'routed';
  }

  #routeBy({ plan, router }: Entrance, facts: Facts): ReturnType<Router['decide']> {
    if (plan.routes.length === 0) return undefined;
    return router.decide(addressWords(this.client.address), facts, plan.policy.inspect.undecided);
  }

  get #facts(): Facts {
    const { tls } = this;
    const facts = this.#sniffer?.facts ?? nothingYet;
    if (tls === undefined) return facts;
    return { ...facts, sni: tls.sni ?? null, alpn: tls.alpn === undefined ? null : [tls.alpn] };
  }

  #await(bytes: Uint8Array): Standing {
    this.#around.command({ kind: 'inspect', session: this.#id, beyond: bytes.length });
    return 'waiting';
  }
}

/** Whether a PROXY protocol header of this client would be read. */
export function isBelieved({ from, fromUnix }: ProxyProtocolPolicy, { address }: Client): boolean {
  const words = addressWords(address);
  return words === undefined ? fromUnix : contains(from, words);
}

const noBytes = new Uint8Array(0);
