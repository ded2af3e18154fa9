/**
 * What there is to say of listeners, pools and backends at one moment: read once, for all that shows or exports it. Its
 * cost grows with the plan and no faster, for health checks wait meanwhile.
 */
import type { Unavailability } from '../core/availability/availability.ts';
import { standingOf } from '../core/availability/standing.ts';
import type { BackendTotals, CircuitState, Health, Ledger } from '../core/ledger/ledger.ts';
import type { ListenerPlan, Plan, PoolPlan, PoolPolicy } from '../core/plan.ts';
import { type Reason, reasons } from '../core/reasons.ts';

export interface Snapshot {
  readonly phase: Phase;
  readonly listeners: readonly ListenerSnapshot[];
  readonly pools: readonly PoolSnapshot[];
}

/** `starting` until all listeners accept, `draining` once the process has been told to stop. */
export type Phase = 'starting' | 'serving' | 'draining';

/** What it has counted: accepted = active + the sum of closed, always. */
export interface ListenerSnapshot {
  readonly name: string;
  /** Where it is bound, as people write addresses; nowhere while it starts. */
  readonly bound: readonly string[];
  /** The driver that serves it. */
  readonly driver: string;
  readonly accepted: number;
  /** Sessions accepted and not ended; those that are just being refused are among them. */
  readonly active: number;
  readonly closed: ReadonlyMap<Reason, number>;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  sessionDuration(): Durations;
}

export interface PoolSnapshot {
  readonly name: string;
  readonly balance: PoolPolicy['balance'];
  /** Sessions that wait for a backend. */
  readonly queued: number;
  /** In the plan's order; no two of a pool have the same name. */
  readonly backends: readonly BackendSnapshot[];
  connectDuration(): Durations;
}

/** What it has counted since its slot was given out, and how it stands. */
export interface BackendSnapshot extends BackendTotals {
  readonly name: string;
  readonly weight: number;
  readonly backup: boolean;
  readonly health: Health;
  readonly circuit: CircuitState;
  /** Sessions that hold a place, those that are being connected included. */
  readonly active: number;
  /** Why it takes no session now: the core's own answer. */
  readonly unavailable: Unavailability | undefined;
}

/** A histogram: counts of each bucket by itself, the last of which is beyond all edges. */
export interface Durations {
  readonly edgesMs: readonly number[];
  readonly counts: readonly number[];
  readonly sumMs: number;
}

export interface SnapshotDeps {
  readonly phase: Phase;
  readonly plan: Plan;
  readonly ledger: Ledger;
  bound(): ReadonlyMap<string, readonly string[]>;
  driverOf(listener: ListenerPlan): string;
}

export function snapshot(deps: SnapshotDeps, nowMs: number): Snapshot {
  const { phase, plan, ledger } = deps;
  const bound = deps.bound();
  return {
    phase,
    listeners: plan.listeners.map((listener) => ({
      name: listener.name,
      bound: bound.get(listener.name) ?? [],
      driver: deps.driverOf(listener),
      ...listenerCounts(ledger, listener.slot),
      sessionDuration: () => durations(ledger.sessionDuration, listener.slot),
    })),
    pools: plan.pools.map((pool) => ({
      name: pool.name,
      balance: pool.policy.balance,
      queued: ledger.poolQueued.total(pool.slot),
      backends: backendSnapshots(pool, ledger, nowMs),
      connectDuration: () => durations(ledger.connectDuration, pool.slot),
    })),
  };
}

function backendSnapshots(pool: PoolPlan, ledger: Ledger, nowMs: number): readonly BackendSnapshot[] {
  const standing = standingOf(pool, ledger, nowMs, Math.random);
  return pool.backends.map(({ name, slot, weight, backup }, index) => ({
    ...ledger.backendTotals(slot),
    name,
    weight,
    backup,
    health: ledger.healthOf(slot),
    circuit: ledger.circuitOf(slot),
    active: ledger.backendActive.total(slot),
    unavailable: standing.backends[index]?.unavailable,
  }));
}

/**
 * Reads a listener's numbers while workers go on counting. The active ones are those accepted but not closed,
 * and not the ledger's count of places taken, to which a client that is being refused does not belong.
 */
function listenerCounts(ledger: Ledger, listener: number) {
  // First what was closed, then what was accepted: the other way round, active could come out below zero.
  const totals = ledger.listenerTotals(listener);
  const closed = new Map(reasons.map((reason) => [reason, totals.closed(reason)]));
  const { accepted, bytesToBackend, bytesToClient } = ledger.listenerTotals(listener);
  const ended = [...closed.values()].reduce((sum, count) => sum + count, 0);
  return { accepted, active: accepted - ended, closed, bytesToBackend, bytesToClient };
}

function durations(histogram: Ledger['sessionDuration'], slot: number): Durations {
  return { edgesMs: histogram.edgesMs, ...histogram.read(slot) };
}
