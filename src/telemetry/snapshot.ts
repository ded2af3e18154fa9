/**
 * What there is to say of listeners, pools and backends at one moment: read once, for all that shows or exports it. Its
 * cost grows with the plan and no faster, for health checks wait meanwhile.
 */
import type { OwnCertificate } from '../config/certificates.ts';
import type { Accept, AdminState, Layer } from '../core/admin-state.ts';
import { poolAvailability } from '../core/availability/pool-availability.ts';
import { queuePolicyOf } from '../core/hold.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, ListenerPlan, Plan, PoolPlan } from '../core/plan.ts';
import { reasons } from '../core/reasons.ts';
import { labelsOf } from './labels.ts';

/** `starting` until all listeners accept, `draining` once the process has been told to stop. */
export type Phase = 'starting' | 'serving' | 'draining';

/** The running proxy, seen by `control/proxy-view.ts`. */
export interface SnapshotSource {
  readonly phase: Phase;
  /** In milliseconds since 1970. */
  readonly phaseSinceMs: number;
  readonly plan: Plan;
  readonly ledger: Ledger;
  /** The addresses that each listener of the plan is bound to, as people write them; none while it starts. */
  bound(): ReadonlyMap<string, readonly string[]>;
  /** Listeners that were taken out of the plan and have open sessions still. */
  leaving(): readonly ListenerPlan[];
  driverOf(listener: ListenerPlan): string;
  /** Those that run, and how late each was when it was last looked at. */
  running(nowMs: number): readonly WorkerSnapshot[];
  readonly certificates: {
    /** Those that the proxy shows. */
    readonly own: readonly Omit<OwnCertificate, 'fingerprint'>[];
    /** The last that a backend has shown, in a session or a check. */
    shownBy(pool: PoolPlan, backend: BackendPlan): ShownCertificate | undefined;
  };
  readonly administration: {
    /** What each layer wants of a backend. */
    layersOf(name: { readonly pool: string; readonly backend: string }): BackendLayers | undefined;
    /** Whether operators want a listener to accept clients: `on`, `paused` or `off`. */
    acceptOf(listener: string): Accept;
    /** How a pool is held by an operator, or released again; undefined where it is neither. */
    holdOf(pool: string): HoldSnapshot | undefined;
  };
  /** As much as the buffers of all workers may hold. */
  readonly bufferLimitBytes: number;
}

/** Times are in milliseconds since 1970. */
export interface HoldSnapshot {
  readonly phase: 'held' | 'releasing';
  readonly sinceMs: number;
  readonly untilMs: number | undefined;
  readonly then: string;
  readonly sessions: string;
  readonly timeoutMs: number;
  /** Sessions that go in a second; `Infinity`: as many as wait. */
  readonly ratePerSecond: number;
  readonly by: string;
  readonly reason: string | undefined;
}

type BackendLayers = Readonly<Record<Layer, AdminState>>;

/** The same moment on the clock that threads share and on that of people, in milliseconds. */
export interface Moment {
  readonly monotonicMs: number;
  /** Since 1970. */
  readonly wallClockMs: number;
}

export interface ShownCertificate {
  /** The name that it must be for, as the configuration says. */
  readonly name: string;
  /** Until when it is good, in milliseconds since 1970. */
  readonly notAfterMs: number;
}

export interface WorkerSnapshot {
  readonly number: number;
  readonly driver: string;
  readonly lagMs: number;
}

export type Snapshot = ReturnType<typeof snapshot>;
export type ListenerSnapshot = Snapshot['listeners'][number];
export type PoolSnapshot = Snapshot['pools'][number];
export type BackendSnapshot = PoolSnapshot['backends'][number];
export type Durations = ReturnType<ListenerSnapshot['sessionDuration']>;

export function snapshot(source: SnapshotSource, now: Moment) {
  const { phase, phaseSinceMs, plan, ledger } = source;
  const nowMs = now.monotonicMs;
  const bound = source.bound();
  return {
    phase,
    phaseSinceMs,
    workers: source.running(nowMs),
    certificates: source.certificates.own,
    buffers: { bytes: sumOf(ledger.bufferBytes), limit: source.bufferLimitBytes },
    /** Those of the plan, then those that are leaving it: they are bound nowhere. */
    listeners: [...plan.listeners, ...source.leaving()].map((listener) => ({
      name: listener.name,
      /** The labels of its metrics. */
      labels: labelsOf({ listener: listener.name }),
      /** The most connections that it may have. */
      limit: listener.policy.limits.maxConnections,
      bound: bound.get(listener.name) ?? [],
      accept: source.administration.acceptOf(listener.name),
      driver: source.driverOf(listener),
      ...listenerCounts(ledger, listener.slot),
      sessionDuration: () => durations(ledger.sessionDuration, listener.slot),
    })),
    pools: plan.pools.map((pool) => poolSnapshot(pool, source, now)),
  };
}

export function poolSnapshot(pool: PoolPlan, source: SnapshotSource, now: Moment) {
  const { ledger } = source;
  const nowMs = now.monotonicMs;
  return {
    name: pool.name,
    labels: labelsOf({ pool: pool.name }),
    balance: pool.policy.balance,
    /** Leases: those of sessions that are being connected too. */
    active: ledger.poolActive.total(pool.slot),
    limit: pool.policy.limits.maxConnections,
    queued: ledger.poolQueued.total(pool.slot),
    queueLimit: queuePolicyOf(pool).size,
    /** How long the session has waited that is first in the queue. */
    longestWaitMs: Math.max(0, nowMs - (ledger.queueTickets.waitingSinceMs(pool.slot) ?? nowMs)),
    hold: source.administration.holdOf(pool.name),
    dialRetries: ledger.dialRetries.sum(pool.slot, 0),
    /** In the plan's order; no two of a pool have the same name. */
    backends: backendSnapshots(pool, source, now),
    connectDuration: () => durations(ledger.connectDuration, pool.slot),
    firstByte: () => durations(ledger.firstByte, pool.slot),
    queueWait: () => durations(ledger.queueWait, pool.slot),
    checkDuration: () => durations(ledger.checkDuration, pool.slot),
    servedDuration: () => durations(ledger.servedDuration, pool.slot),
  };
}

function backendSnapshots(pool: PoolPlan, source: SnapshotSource, now: Moment) {
  const { ledger } = source;
  const nowMs = now.monotonicMs;
  const availability = poolAvailability(pool, ledger, nowMs, Math.random);
  const poolLabel = labelsOf({ pool: pool.name });
  const sinceMs = (times: Float64Array, slot: number): number | undefined => {
    const sinceMs = times[slot] || ledger.plannedMs[slot];
    return sinceMs ? onWallClock(sinceMs, now) : undefined;
  };
  return pool.backends.map((plan, index) => {
    const { name, slot, state, hostName, weight, backup, maxConnections } = plan;
    const { backend, unavailable } = availability.backends[index] ?? {};
    return {
      name,
      labels: `${poolLabel},${labelsOf({ backend: name })}`,
      weight,
      /** What balancing goes by: less than the weight in a slow start, 0 while it is not to take sessions. */
      effectiveWeight: backend?.isWanted ? (weight * backend.rampPercent(nowMs)) / 100 : 0,
      backup,
      // All times are in milliseconds since 1970.
      /** The name that its address was resolved from. */
      hostName,
      /** What people want of it, and what each layer does. */
      state,
      stateSinceMs: sinceMs(ledger.stateSinceMs, slot),
      layers: source.administration.layersOf({ pool: pool.name, backend: name }),
      health: ledger.healthOf(slot),
      healthSinceMs: sinceMs(ledger.healthSinceMs, slot),
      circuit: ledger.circuitOf(slot),
      circuitSinceMs: sinceMs(ledger.circuit.sinceMs, slot),
      /** When an open breaker lets the next session try. */
      nextTrialMs: nextTrialMs(ledger, slot, now),
      /** Sessions that hold a place, those that are being connected included. */
      active: ledger.backendActive.total(slot),
      limit: maxConnections,
      /** Why it takes no session now: the core's own answer. */
      unavailable,
      certificate: source.certificates.shownBy(pool, plan),
      totals: ledger.backendTotals(slot),
    };
  });
}

/**
 * Reads a listener's numbers while workers go on counting: accepted = active + the sum of closed, always. Active is not
 * the ledger's count of places taken, to which a client that is being refused does not belong.
 */
function listenerCounts(ledger: Ledger, listener: number) {
  // First what was closed, then what was accepted: the other way round, active could come out below zero.
  const totals = ledger.listenerTotals(listener);
  const closed = new Map(reasons.map((reason) => [reason, totals.closed(reason)]));
  const { accepted, bytesToBackend, bytesToClient } = ledger.listenerTotals(listener);
  const ended = [...closed.values()].reduce((sum, count) => sum + count, 0);
  return { accepted, active: accepted - ended, closed, bytesToBackend, bytesToClient };
}

function nextTrialMs(ledger: Ledger, slot: number, now: Moment): number | undefined {
  const untilMs = ledger.circuit.untilMs[slot] ?? 0;
  const isOpen = ledger.circuitOf(slot) === 'open' && untilMs > now.monotonicMs;
  return isOpen ? onWallClock(untilMs, now) : undefined;
}

function onWallClock(monotonicMs: number, now: Moment): number {
  return now.wallClockMs + monotonicMs - now.monotonicMs;
}

function sumOf(numbers: Float64Array): number {
  return numbers.reduce((sum, number) => sum + number, 0);
}

/** A histogram: counts of each bucket by itself, the last of which is beyond all edges. */
function durations(histogram: Ledger['sessionDuration'], slot: number) {
  return { edgesMs: histogram.edgesMs, ...histogram.read(slot) };
}
