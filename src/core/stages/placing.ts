/**
 * The session has a pool and seeks a backend of it: it dials one after the other, and may wait between, in the pool's
 * queue or until it dials the same ones again.
 */
import { PendingClient } from '../admission/pending-client.ts';
import { poolBy } from '../admission/routing.ts';
import { backoffMs } from '../backoff.ts';
import type { BackendSlot, CloseHow, LinkEnd } from '../contract.ts';
import { shortage } from '../exhaustion.ts';
import { Lease } from '../lease.ts';
import type { NoLease, Pool } from '../pool.ts';
import type { QueuedSession } from '../queue.ts';
import type { DialFailure, Reason } from '../reasons.ts';
import type { DialIncident } from '../reports.ts';
import type { Session } from '../session.ts';
import type { SessionState } from '../session-list.ts';
import { clientLeft, endUnserved, refuseClient } from './closing.ts';
import { type Dialer, type DialFault, Dialing } from './dialing.ts';
import { type CutReason, Stage } from './stage.ts';

export class Placing extends Stage implements Dialer, QueuedSession {
  readonly #session: Session;
  #pool: Pool;
  clientLeftMs = Number.POSITIVE_INFINITY;
  /** Since when it waits in the queue; undefined while it does not. */
  #queuedMs: number | undefined;
  /** No backend is dialed twice before all that are willing have been. */
  #tried: readonly BackendSlot[] = none;
  /** The dial before has, so that the next one is a retry. */
  #hasFailed = false;
  #backoffRounds = 0;
  /** How long it waits for a backend to come up, once it has begun to. */
  #waitsUntilMs: number | undefined;
  #lastFailure: DialFailure | 'overloaded' | undefined;
  /** What the last failure was, for people. */
  #detail: string | undefined;

  constructor(session: Session, pool: Pool) {
    super();
    this.#session = session;
    this.#pool = pool;
  }

  /** No session that comes overtakes those that wait already, on this worker or another. */
  begin(nowMs: number): void {
    const pool = this.#pool;
    this.#session.poolName = pool.name;
    this.#dialOrWait(pool.queue.isWaitedIn ? 'must-queue' : this.#place(nowMs), nowMs);
  }

  tryLeaveQueue(nowMs: number): boolean {
    const placed = this.#place(nowMs);
    if (placed === 'pool-full' || placed === 'held') return false;
    if (placed === 'no-backend' && this.#pool.waitsForBackend) return false;
    this.#leaveQueue(nowMs);
    this.#dialOrWait(placed, nowMs);
    return true;
  }

  waitAsHeld(): void {
    this.#beginAnew();
    if (this.#queuedMs !== undefined)
      this.#session.setTimer(this.#queuedMs + this.#pool.queuePolicy.timeoutMs);
  }

  giveUpWaiting(nowMs: number): void {
    this.#leaveQueue(nowMs);
    refuseClient(this.#session, { reason: 'queue-timeout' }, nowMs);
  }

  /** The pool is dialed once at least; more often only if it allows more dials than there were in all. */
  reroute(nowMs: number): void {
    const { context, learned, link, client } = this.#session;
    const listener = context.listeners.current(this.#session.listener);
    this.#leaveQueue(nowMs);
    this.#beginAnew();
    const known = learned ?? new PendingClient(link, client, listener, context);
    const pool = context.pools.meantBy(listener, poolBy(listener, known));
    this.#session.poolName = pool?.name;
    if (pool === undefined) return this.#giveUp('no-backend', nowMs);
    this.#pool = pool;
    this.begin(nowMs);
  }

  /** What is our own fault is not held against the backend. */
  noteFailedDial(lease: Lease, why: DialFault, error: string, nowMs: number): void {
    const session = this.#session;
    const { context, failedDials = [] } = session;
    const { slot, name: backend } = lease.backend.plan;
    const reason = why === 'exhausted' ? 'overloaded' : why;
    this.#detail = why === 'exhausted' ? shortage(error) : error;
    this.#lastFailure = reason;
    this.#hasFailed = true;
    context.command({ kind: 'tell', incident: this.#incident(backend, reason, error) });
    if (why === 'exhausted') {
      session.lastBackend = undefined;
      return;
    }
    if (lease.settle('failed', nowMs, error)) context.queues.circuitChanged(this.#pool.slot);
    context.ledger.countDialFailure(slot, why);
    session.failedDials = [...failedDials, { backend, error }];
    this.#tried = [...this.#tried, slot];
  }

  #incident(backend: string, reason: DialIncident['reason'], error: string): DialIncident {
    const { listener, client, attempts } = this.#session;
    return {
      kind: 'dial-failed',
      listener: listener.plan.name,
      client,
      pool: this.#pool.name,
      backend,
      attempt: attempts,
      reason,
      error,
    };
  }

  /**
   * Whoever dials again goes before those that wait: it had its turn before they came. Once it finds no room, it stands
   * behind them.
   */
  dialAgain(why: DialFault | 'held', nowMs: number): void {
    if (this.#pool.isRetired) return this.reroute(nowMs);
    if (why === 'held') return this.#dialOrWait(this.#place(nowMs), nowMs);
    const { retries } = this.#pool.policy.connect;
    const isOver = this.#session.attempts > retries;
    if (isOver && this.#mayTryOn(nowMs)) this.#backOff(nowMs);
    else if (isOver) this.#giveUp('connect-failed', nowMs);
    else this.#dialOrWait(why === 'exhausted' ? 'all-tried' : this.#place(nowMs), nowMs);
  }

  override due(nowMs: number): void {
    if (this.#queuedMs === undefined) this.#dialOrWait(this.#place(nowMs), nowMs);
    else this.giveUpWaiting(nowMs);
  }

  override poolRetired(nowMs: number): void {
    if (this.#pool.isRetired) this.reroute(nowMs);
  }

  override halfClosed(heldBytes: number, nowMs: number): void {
    if (heldBytes === 0) this.#leave(nowMs);
  }

  override clientClosed(_end: LinkEnd, nowMs: number): void {
    this.#leave(nowMs);
  }

  override cut(reason: CutReason, nowMs: number, how: CloseHow = 'reset', detail?: string): void {
    this.#leaveQueue(nowMs);
    endUnserved(this.#session, { reason, endedBy: 'proxy', detail }, how, nowMs);
  }

  override queuedForMs(nowMs: number): number {
    return this.#queuedMs === undefined ? 0 : nowMs - this.#queuedMs;
  }

  override get state(): SessionState {
    if (this.#queuedMs === undefined) return 'dialing';
    return this.#pool.isHeld ? 'held' : 'queued';
  }

  #place(nowMs: number): Lease | NoLease {
    const { client, listener } = this.#session;
    const source = client.network(listener.plan.policy.limits.perClient.ipv6Prefix);
    return this.#pool.place(source, this.#tried, nowMs);
  }

  /** Dials, or does what is left where there is no backend to dial. */
  #dialOrWait(placed: Lease | NoLease | 'must-queue', nowMs: number): void {
    if (placed instanceof Lease) return this.#dial(placed, nowMs);
    if (placed === 'no-backend' && !this.#mayTryOn(nowMs)) return this.#giveUp('no-backend', nowMs);
    if (placed === 'all-tried') return this.#backOff(nowMs);
    const hasQueue = placed === 'must-queue' || this.#pool.queuePolicy.size > 0;
    if (hasQueue) this.#wait(nowMs);
    else this.#giveUp('pool-full', nowMs);
  }

  #dial(lease: Lease, nowMs: number): void {
    if (this.#hasFailed) this.#session.context.ledger.dialRetries.add(this.#pool.slot, 0, 1);
    this.#hasFailed = false;
    new Dialing(this.#session, this.#pool, lease, this, nowMs).begin();
  }

  #wait(nowMs: number): void {
    if (this.#hasLeft) return this.#leave(nowMs);
    const pool = this.#pool;
    const { size, timeoutMs } = pool.queuePolicy;
    if (!pool.queue.join(this, size, nowMs)) return this.#giveUp('queue-full', nowMs);
    this.#session.stage = this;
    this.#queuedMs = nowMs;
    this.#session.context.queues.joined(pool);
    if (pool.isHeld) this.#beginAnew();
    this.#session.setTimer(Math.min(nowMs + timeoutMs, this.#waitsUntilMs ?? Number.POSITIVE_INFINITY));
  }

  /** After a hold, backends may be others than they were. */
  #beginAnew(): void {
    this.#waitsUntilMs = undefined;
    this.#tried = none;
  }

  #leaveQueue(nowMs: number): void {
    if (this.#queuedMs === undefined) return;
    const waitedMs = this.queuedForMs(nowMs);
    this.#pool.queue.leave(this);
    this.#session.context.queues.left(this.#pool);
    this.#session.queueMs += waitedMs;
    this.#session.context.ledger.queueWait.observe(this.#pool.slot, waitedMs);
    this.#queuedMs = undefined;
  }

  /** After this, every backend may be dialed again. */
  #backOff(nowMs: number): void {
    const { backoff } = this.#pool.policy.connect;
    const waitMs = backoffMs(backoff, this.#backoffRounds++, this.#session.context.random);
    this.#tried = none;
    if (this.#hasLeft) return this.#leave(nowMs);
    this.#session.stage = this;
    this.#session.setTimer(nowMs + waitMs);
  }

  /** Where backends are waited for, until the time for that is over. */
  #mayTryOn(nowMs: number): boolean {
    if (!this.#pool.waitsForBackend) return false;
    this.#waitsUntilMs ??= nowMs + this.#pool.queuePolicy.timeoutMs;
    return nowMs < this.#waitsUntilMs;
  }

  get #hasLeft(): boolean {
    return this.clientLeftMs !== Number.POSITIVE_INFINITY;
  }

  #leave(nowMs: number): void {
    this.#leaveQueue(nowMs);
    clientLeft(this.#session, nowMs);
  }

  /** If the session has dialed, its last dial tells more than what came after it. */
  #giveUp(reason: Reason, nowMs: number): void {
    refuseClient(this.#session, { reason: this.#lastFailure ?? reason, detail: this.#detail }, nowMs);
  }
}

/** One for all: few sessions have a dial that fails. */
const none: readonly BackendSlot[] = [];
