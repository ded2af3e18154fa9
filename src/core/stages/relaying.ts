/** The two links are joined: the driver copies, and what ends that by time is watched here. */
import { assert } from '../assert.ts';
import type { BackendSlot, CloseHow, LinkEnd, LinkId } from '../contract.ts';
import type { Lease } from '../lease.ts';
import type { SessionTimeouts } from '../plan.ts';
import type { Pool } from '../pool.ts';
import type { Ending, Session, Side } from '../session.ts';
import type { SessionState } from '../session-list.ts';
import { Closing, close, lingerMs } from './closing.ts';
import { type CutReason, Stage } from './stage.ts';

export class Relaying extends Stage {
  readonly #session: Session;
  readonly #pool: Pool;

  constructor(session: Session, pool: Pool) {
    super();
    this.#session = session;
    this.#pool = pool;
  }

  /** `first` goes to the backend ahead of all that the client says. */
  begin({ link, backend }: Lease, first: Uint8Array | undefined, nowMs: number): void {
    const session = this.#session;
    session.stage = this;
    session.context.unserved.delete(session);
    session.context.command({ kind: 'join', client: session.link, backend: link, slot: backend.slot, first });
    this.watch(nowMs);
  }

  override firstByteCame(nowMs: number): void {
    const session = this.#session;
    const { ledger } = session.context;
    const { servedSinceMs, lease } = session;
    if (servedSinceMs === undefined || lease === undefined) return;
    const tookMs = nowMs - servedSinceMs;
    session.firstByteMs = tookMs;
    ledger.firstByte.observe(lease.pool, tookMs);
    ledger.countFirstByte(lease.backend.slot, tookMs);
  }

  override halfClosed(_heldBytes: number, nowMs: number): void {
    this.watch(nowMs);
  }

  override clientClosed(end: LinkEnd, nowMs: number): void {
    this.linkEnded('client', end, nowMs);
  }

  override backendClosed(end: LinkEnd, nowMs: number): void {
    this.#session.releaseLease(nowMs);
    this.linkEnded('backend', end, nowMs);
  }

  override due(nowMs: number): void {
    this.watch(nowMs);
  }

  override backendWentDown(backend: BackendSlot, nowMs: number): void {
    if (this.#session.lease?.backend.slot === backend && this.#pool.policy.whenBackendDown === 'close')
      this.cut('backend-down', nowMs);
  }

  override cut(reason: CutReason, nowMs: number, how: CloseHow = 'reset'): void {
    close(this.#session, this.openLink(), { reason, endedBy: 'proxy' }, how, nowMs);
  }

  override get state(): SessionState {
    return 'relaying';
  }

  get acceptedMs(): number {
    return this.#session.acceptedMs;
  }

  get timeouts(): SessionTimeouts {
    return this.#session.listener.plan.policy.timeouts;
  }

  /** When the first FIN came; Infinity while none has. */
  get halfClosedMs(): number {
    return this.#session.halfClose?.atMs ?? Number.POSITIVE_INFINITY;
  }

  private openLink(): LinkId {
    const { isClientOpen, link, lease } = this.#session;
    if (isClientOpen) return link;
    assert(lease !== undefined, 'one of the links of a relay is open');
    return lease.link;
  }

  /** When the last byte came, or the relay began. */
  private silentSinceMs(): number {
    const { context, servedSinceMs = 0 } = this.#session;
    return Math.max(servedSinceMs, context.activity.lastByteMs(this.openLink()));
  }

  /** Ends the session if its time is over, or sets when to look again. */
  private watch(nowMs: number): void {
    const session = this.#session;
    const silentSinceMs = this.silentSinceMs();
    const timer = soonest(this, silentSinceMs);
    const dueMs = timer.dueMs(this, silentSinceMs);
    if (dueMs > nowMs) return session.setTimer(dueMs);
    const { reason } = timer;
    // A silent session ends in order; one cut while it may be talking must not look complete.
    const how = reason === 'lifetime-exceeded' ? 'reset' : 'fin';
    close(session, this.openLink(), { reason, endedBy: 'proxy' }, how, nowMs);
  }

  /** One link of the pair has ended by itself; the other follows, and is reset if it takes too long. */
  private linkEnded(side: Side, end: LinkEnd, nowMs: number): void {
    const session = this.#session;
    if (end === 'finished') {
      if (session.isClientOpen || session.lease !== undefined) return;
      const endedBy = session.halfClose?.by ?? side;
      session.stage = new Closing(session, { reason: 'finished', endedBy }, undefined);
      return;
    }
    const atMostMs = end === 'closed-early' ? Math.max(lingerMs, this.timeouts.halfClosedMs) : lingerMs;
    const closing = new Closing(session, endingOf(side, end), nowMs + atMostMs);
    session.stage = closing;
    closing.due(nowMs);
  }
}

interface RelayTimer {
  readonly reason: 'lifetime-exceeded' | 'half-closed-timeout' | 'idle-timeout';
  dueMs(relay: Relaying, silentSinceMs: number): number;
}

/** What ends a relay by time: the soonest counts, of two at once the upper one. */
const timers: readonly [RelayTimer, ...RelayTimer[]] = [
  {
    reason: 'lifetime-exceeded',
    dueMs: ({ acceptedMs, timeouts }) => acceptedMs + timeouts.maxLifetimeMs,
  },
  {
    reason: 'half-closed-timeout',
    dueMs: ({ halfClosedMs, timeouts }, silentSinceMs) =>
      Math.max(silentSinceMs, halfClosedMs) + timeouts.halfClosedMs,
  },
  {
    reason: 'idle-timeout',
    dueMs: ({ timeouts }, silentSinceMs) => silentSinceMs + timeouts.idleMs,
  },
];

function soonest(relay: Relaying, silentSinceMs: number): RelayTimer {
  let soonest = timers[0];
  let soonestMs = Number.POSITIVE_INFINITY;
  for (const timer of timers) {
    const dueMs = timer.dueMs(relay, silentSinceMs);
    if (dueMs >= soonestMs) continue;
    soonest = timer;
    soonestMs = dueMs;
  }
  return soonest;
}

function endingOf(side: Side, end: LinkEnd): Ending {
  assert(end !== 'closed', 'a driver closes no link that is relayed without being told');
  const isOther = end === 'reset-with-partner';
  return (side === 'client') !== isOther
    ? { reason: 'client-reset', endedBy: 'client' }
    : { reason: 'backend-reset', endedBy: 'backend' };
}
