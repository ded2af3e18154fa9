/**
 * A client goes through the gates of its listener, one after the other, until one makes it wait or refuses it; then it
 * has a pool.
 */
import type { CloseHow, LinkEnd, TlsSession } from '../contract.ts';
import type { Session } from '../session.ts';
import { clientLeft, endUnserved, refuseClient } from '../stages/closing.ts';
import { Placing } from '../stages/placing.ts';
import { type CutReason, Stage } from '../stages/stage.ts';
import type { Gate, Verdict, WaitingClient } from './gate.ts';
import { noBytes, PendingClient } from './pending-client.ts';
import { poolBy } from './routing.ts';

export class Admission extends Stage {
  readonly #session: Session;
  readonly #client: PendingClient;
  readonly #gates: readonly Gate[];
  #at = 0;
  #waiting: WaitingClient | undefined;

  constructor(session: Session, gates: readonly Gate[]) {
    super();
    const { link, client, listener, context } = session;
    this.#session = session;
    this.#gates = gates;
    this.#client = new PendingClient(link, client, listener, context);
  }

  begin(nowMs: number): void {
    this.#session.stage = this;
    this.#session.context.ledger.countAccepted(this.#session.listener.plan.slot);
    this.#apply(this.#run(nowMs), nowMs);
  }

  override received(bytes: Uint8Array, nowMs: number): void {
    const client = this.#client;
    client.held = bytes;
    client.hasSpoken ||= bytes.length > 0;
    this.#goOn(this.#waiting?.received(bytes) ?? 'waits', nowMs);
  }

  override tlsEstablished(tls: TlsSession, nowMs: number): void {
    const client = this.#client;
    client.serverName = tls.serverName ?? client.serverName;
    const established = { ...tls, serverName: client.serverName };
    this.#goOn(this.#waiting?.tlsEstablished?.(established) ?? 'waits', nowMs);
  }

  override tlsFailed(detail: string, nowMs: number): void {
    this.#goOn(this.#waiting?.tlsFailed?.(detail) ?? 'waits', nowMs);
  }

  /** What came before the FIN was handed over. */
  override halfClosed(heldBytes: number, nowMs: number): void {
    this.#client.hasFinished = true;
    if (heldBytes === 0) clientLeft(this.#session, nowMs);
    else this.#goOn(this.#waiting?.finished() ?? 'waits', nowMs);
  }

  override clientClosed(_end: LinkEnd, nowMs: number): void {
    clientLeft(this.#session, nowMs);
  }

  override due(nowMs: number): void {
    this.#goOn(this.#waiting?.expired() ?? 'waits', nowMs);
  }

  override cut(reason: CutReason, nowMs: number, how: CloseHow = 'reset', detail?: string): void {
    endUnserved(this.#session, { reason, endedBy: 'proxy', detail }, how, nowMs);
  }

  get waitsFor(): WaitingClient['waitsFor'] | undefined {
    return this.#waiting?.waitsFor;
  }

  override get isAdmission(): boolean {
    return true;
  }

  #goOn(verdict: Verdict, nowMs: number): void {
    if (verdict === 'passes') {
      this.#waiting = undefined;
      this.#at++;
    }
    const result = verdict === 'passes' ? this.#run(nowMs) : verdict;
    this.#client.held = noBytes;
    this.#apply(result, nowMs);
  }

  #run(nowMs: number): Verdict {
    for (let gate = this.#gates[this.#at]; gate !== undefined; gate = this.#gates[++this.#at]) {
      const verdict = gate.enter(this.#client, nowMs);
      if (verdict === 'passes') continue;
      if ('reason' in verdict) return verdict;
      this.#waiting = verdict;
      return 'waits';
    }
    return 'passes';
  }

  #apply(verdict: Verdict, nowMs: number): void {
    const session = this.#session;
    const client = this.#client;
    session.client = client.endpoint;
    session.permit = client.permit;
    session.uniqueId = client.announced?.uniqueId;
    session.learned = client.isPlain ? undefined : client;
    if (verdict === 'waits') session.setTimer(this.#waiting?.dueMs ?? Number.POSITIVE_INFINITY);
    else if (verdict === 'passes') this.#enterPool(nowMs);
    else refuseClient(session, verdict, nowMs);
  }

  /** Where a reload took its pool away meanwhile, it goes where the new plan says. */
  #enterPool(nowMs: number): void {
    const { context, listener } = this.#session;
    const now = context.listeners.current(listener);
    let pool = context.pools.meantBy(listener, this.#client.pool);
    if (pool === undefined && now !== listener) pool = context.pools.meantBy(now, poolBy(now, this.#client));
    if (pool === undefined) refuseClient(this.#session, { reason: 'no-backend' }, nowMs);
    else new Placing(this.#session, pool).begin(nowMs);
  }
}
