/** The gates are passed, or one of them refuses the client; then it has a pool. */
import { Admission, type AdmissionResult, poolBy } from '../admission/admission.ts';
import { PendingClient } from '../admission/pending-client.ts';
import type { LinkEnd, TlsSession } from '../contract.ts';
import type { Session } from '../session.ts';
import { clientLeft, refuse, turnAway } from './closing.ts';
import { Placing } from './placing.ts';
import { type CutReason, Stage } from './stage.ts';

export class Admitting extends Stage {
  readonly #session: Session;
  readonly #admission: Admission;

  constructor(session: Session) {
    super();
    const { link, client, listener, context } = session;
    this.#session = session;
    this.#admission = new Admission(new PendingClient(link, client, listener, context));
  }

  begin(nowMs: number): void {
    this.#session.stage = this;
    this.#session.context.ledger.countAccepted(this.#session.listener.plan.slot);
    this.#follow(this.#admission.begin(nowMs), nowMs);
  }

  override received(bytes: Uint8Array, nowMs: number): void {
    this.#follow(this.#admission.received(bytes, nowMs), nowMs);
  }

  override tlsEstablished(tls: TlsSession, nowMs: number): void {
    this.#follow(this.#admission.tlsEstablished(tls, nowMs), nowMs);
  }

  override tlsFailed(detail: string, nowMs: number): void {
    this.#follow(this.#admission.tlsFailed(detail, nowMs), nowMs);
  }

  override halfClosed(heldBytes: number, nowMs: number): void {
    this.#follow(this.#admission.finished(heldBytes, nowMs), nowMs);
  }

  override clientClosed(_end: LinkEnd, nowMs: number): void {
    clientLeft(this.#session, nowMs);
  }

  override due(nowMs: number): void {
    this.#follow(this.#admission.expired(nowMs), nowMs);
  }

  override cut(reason: CutReason, nowMs: number): void {
    turnAway(this.#session, { reason, endedBy: 'proxy' }, 'reset', nowMs);
  }

  override get isAdmission(): boolean {
    return true;
  }

  #follow(result: AdmissionResult, nowMs: number): void {
    const session = this.#session;
    const { client } = this.#admission;
    session.client = client.endpoint;
    session.permit = client.permit;
    session.uniqueId = client.announced?.uniqueId;
    session.admitted = client.isPlain ? undefined : client;
    if (result === 'waits') return session.setTimer(this.#admission.dueMs);
    if (result === 'routed') return this.#enterPool(client, nowMs);
    if (result.reason === 'client-left') return clientLeft(session, nowMs);
    refuse(session, result, nowMs);
  }

  /** Where a reload took its pool away meanwhile, it goes where the new plan says. */
  #enterPool(client: PendingClient, nowMs: number): void {
    const { context, listener } = this.#session;
    const now = context.listener(listener.plan.slot) ?? listener;
    let pool = context.pool(client.pool, listener);
    if (pool === undefined && now !== listener) pool = context.pool(poolBy(now, client), now);
    if (pool === undefined) refuse(this.#session, { reason: 'no-backend' }, nowMs);
    else new Placing(this.#session, pool).begin(nowMs);
  }
}
