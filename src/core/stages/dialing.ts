/** One dial: the backend is connected to, and speaks TLS where its pool wants so. It ends in a relay or has failed. */
import type { CloseHow, ConnectFailure, LinkEnd } from '../contract.ts';
import type { Lease } from '../lease.ts';
import type { BackendPlan, BackendTls, SentProxyProtocol } from '../plan.ts';
import type { Pool } from '../pool.ts';
import { newUniqueId, sentProxyHeader } from '../sent-proxy-header.ts';
import type { Session } from '../session.ts';
import type { SessionState } from '../session-list.ts';
import { clientLeft, endUnserved } from './closing.ts';
import { Relaying } from './relaying.ts';
import { type CutReason, Stage } from './stage.ts';

export type DialFault = ConnectFailure | 'connect-timeout';

/** What a dial goes back to when it has failed. */
export interface Dialer {
  /** When the client counts as gone: it has finished without a byte. Infinity as long as it has not. */
  clientLeftMs: number;
  /** The lease is held still. `error` is the errno's name, or a sentence. */
  noteFailedDial(lease: Lease, why: DialFault, error: string, nowMs: number): void;
  /** The link has ended, and another may be dialed. */
  dialAgain(why: DialFault | 'held', nowMs: number): void;
}

export class Dialing extends Stage {
  readonly #session: Session;
  readonly #pool: Pool;
  readonly #lease: Lease;
  readonly #dialer: Dialer;
  readonly #sinceMs: number;
  readonly #untilMs: number;
  #isConnected = false;

  constructor(session: Session, pool: Pool, lease: Lease, dialer: Dialer, nowMs: number) {
    super();
    this.#session = session;
    this.#pool = pool;
    this.#lease = lease;
    this.#dialer = dialer;
    this.#sinceMs = nowMs;
    this.#untilMs = nowMs + pool.policy.connect.timeoutMs;
  }

  begin(): void {
    const session = this.#session;
    const { context } = session;
    const { backend } = this.#lease;
    const link = context.links.dial(session);
    this.#lease.link = link;
    session.lease = this.#lease;
    session.lastBackend = backend;
    session.attempts++;
    session.stage = this;
    context.command({ kind: 'connect', link, address: backend.plan.address });
    this.#setTimer();
  }

  override connected(nowMs: number): void {
    const { tls, proxyProtocol } = this.#pool.policy.connect;
    const first = firstBytes(this.#session, proxyProtocol);
    if (tls === 'off') return this.#succeeded(first, nowMs);
    this.#isConnected = true;
    const { link, backend } = this.#lease;
    const { address } = backend.plan;
    const serverName = tlsNameOf(backend.plan, tls);
    this.#session.context.command({ kind: 'start-tls', link, as: 'client', tls, address, serverName, first });
  }

  override certificateShown(notAfterMs: number): void {
    this.#session.context.ledger.certificateNotAfterMs[this.#lease.backend.slot] = notAfterMs;
  }

  override tlsEstablished(_: unknown, nowMs: number): void {
    this.#succeeded(undefined, nowMs);
  }

  override tlsFailed(detail: string, nowMs: number): void {
    this.#giveUp('connect-failed', detail, nowMs);
  }

  override connectFailed(why: ConnectFailure, detail: string, nowMs: number): void {
    this.#failed(why, detail, nowMs);
  }

  override backendClosed(_end: LinkEnd, nowMs: number): void {
    this.#failed('connect-failed', 'The backend closed the connection in its TLS handshake', nowMs);
  }

  /**
   * A client that has sent nothing and finished has left, as far as one can tell; unless it waits for a server that
   * speaks first, which a dial that is under way will soon show.
   */
  override halfClosed(heldBytes: number, nowMs: number): void {
    if (heldBytes > 0) return;
    this.#dialer.clientLeftMs = nowMs + partingMs;
    this.#setTimer();
  }

  override clientClosed(_end: LinkEnd, nowMs: number): void {
    this.#leave(nowMs);
  }

  override due(nowMs: number): void {
    if (this.#dialer.clientLeftMs <= this.#untilMs) this.#leave(nowMs);
    else this.#giveUp('connect-timeout', this.#timeoutText, nowMs);
  }

  /** The client waits with the others, as if this dial had not been. */
  override poolHeld(pool: Pool): void {
    if (this.#pool !== pool) return;
    this.#session.lastBackend = undefined;
    this.#session.attempts--;
    this.#abandon('held');
  }

  override cut(reason: CutReason, nowMs: number, how: CloseHow = 'reset', detail?: string): void {
    this.#reset();
    endUnserved(this.#session, { reason, endedBy: 'proxy', detail }, how, nowMs);
  }

  override get state(): SessionState {
    return 'dialing';
  }

  #setTimer(): void {
    this.#session.setTimer(Math.min(this.#untilMs, this.#dialer.clientLeftMs));
  }

  get #timeoutText(): string {
    const what = this.#isConnected ? 'TLS handshake' : 'answer';
    return `No ${what} within ${this.#pool.policy.connect.timeoutMs} ms`;
  }

  #leave(nowMs: number): void {
    this.#reset();
    clientLeft(this.#session, nowMs);
  }

  #reset(): void {
    this.#session.context.command({ kind: 'close', link: this.#lease.link, how: 'reset' });
  }

  #failed(why: DialFault, error: string, nowMs: number): void {
    this.#dialer.noteFailedDial(this.#lease, why, error, nowMs);
    this.#session.releaseLease(nowMs);
    this.#dialer.dialAgain(why, nowMs);
  }

  #giveUp(why: DialFault, error: string, nowMs: number): void {
    this.#dialer.noteFailedDial(this.#lease, why, error, nowMs);
    this.#abandon(why);
  }

  /** The link is there still: the lease is held until that has ended. */
  #abandon(why: DialFault | 'held'): void {
    const session = this.#session;
    this.#reset();
    session.stage = new Abandoning(session, this.#dialer, why);
    session.setTimer(Number.POSITIVE_INFINITY);
  }

  #succeeded(first: Uint8Array | undefined, nowMs: number): void {
    const session = this.#session;
    const { context } = session;
    const { slot } = this.#pool;
    if (this.#lease.settle('succeeded', nowMs)) context.queues.circuitChanged(slot);
    const connectMs = nowMs - this.#sinceMs;
    session.connectMs = connectMs;
    session.servedBy = slot;
    session.servedSinceMs = nowMs;
    context.ledger.connectDuration.observe(slot, connectMs);
    context.ledger.countBackendConnection(this.#lease.backend.slot);
    new Relaying(session, this.#pool).begin(this.#lease, first, nowMs);
  }
}

/** Its link is being closed, and the next dial may follow once that has ended. */
class Abandoning extends Stage {
  readonly #session: Session;
  readonly #dialer: Dialer;
  readonly #why: DialFault | 'held';

  constructor(session: Session, dialer: Dialer, why: DialFault | 'held') {
    super();
    this.#session = session;
    this.#dialer = dialer;
    this.#why = why;
  }

  override connectFailed(_why: ConnectFailure, _detail: string, nowMs: number): void {
    this.backendClosed('closed', nowMs);
  }

  override backendClosed(_end: LinkEnd, nowMs: number): void {
    this.#session.releaseLease(nowMs);
    this.#dialer.dialAgain(this.#why, nowMs);
  }

  override halfClosed(heldBytes: number, nowMs: number): void {
    if (heldBytes === 0) clientLeft(this.#session, nowMs);
  }

  override clientClosed(_end: LinkEnd, nowMs: number): void {
    clientLeft(this.#session, nowMs);
  }

  override cut(reason: CutReason, nowMs: number, how: CloseHow = 'reset', detail?: string): void {
    endUnserved(this.#session, { reason, endedBy: 'proxy', detail }, how, nowMs);
  }

  override get state(): SessionState {
    return 'dialing';
  }
}

/** What a backend learns of its client ahead of all that it says. */
function firstBytes(session: Session, sent: SentProxyProtocol | 'off'): Uint8Array | undefined {
  if (sent === 'off') return undefined;
  const { learned, context, link } = session;
  if (sent.include.includes('unique-id')) session.uniqueId ??= newUniqueId(context.random);
  const { client, destination } = learned?.announced ?? {
    client: session.client,
    destination: context.activity.localEndpoint(link),
  };
  const { uniqueId } = session;
  return sentProxyHeader(sent, { client, destination }, { sni: learned?.sni, alpn: learned?.alpn, uniqueId });
}

/** The name that a backend must prove to have. What serves on a unix socket is this machine. */
export function tlsNameOf(
  { hostName, address }: Pick<BackendPlan, 'hostName' | 'address'>,
  tls: BackendTls,
): string {
  return tls.servername ?? hostName ?? ('path' in address ? 'localhost' : address.host);
}

/** How long a dial may still take once its client has finished without a byte. */
const partingMs = 100;
