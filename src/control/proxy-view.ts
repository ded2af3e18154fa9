/** What there is to say of the running proxy: for status, metrics, the demo and what operators ask. Changes nothing. */
import type { Config } from '../config/config.ts';
import { type BusyClients, busiestClients } from '../core/busiest-clients.ts';
import type { Address } from '../core/contract.ts';
import { explain } from '../core/explain/explain.ts';
import type { Explanation, Inquiry } from '../core/explain/explanation.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { ListenerPlan, Plan } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import type { DriverModule } from '../drivers/driver.ts';
import {
  type Moment,
  type Phase,
  type PoolSnapshot,
  poolSnapshot,
  type Snapshot,
  type SnapshotSource,
  snapshot,
  type WorkerSnapshot,
} from '../telemetry/snapshot.ts';
import type { Administration } from './administration.ts';
import type { Certificates } from './certificates.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { RunningPlan } from './running-plan.ts';
import { WorkerLag } from './workers/lag.ts';
import type { WorkerGroups } from './workers/worker-groups.ts';

export interface ProxyViewDeps {
  readonly ledger: Ledger;
  readonly lifecycle: Lifecycle;
  readonly runningPlan: RunningPlan;
  readonly groups: WorkerGroups;
  readonly certificates: Certificates;
  readonly administration: Administration;
  readonly bufferLimitBytes: number;
}

/** How backends, pools and listeners are administered: for people, who change it by way of `operator-commands.ts`. */
export type AdministrationView = Pick<
  Administration,
  'overrides' | 'backend' | 'pool' | 'listener' | 'addressesOf' | 'layersOf' | 'holdOf' | 'acceptOf'
>;

export class ProxyView implements SnapshotSource {
  readonly #deps: ProxyViewDeps;
  readonly #lag: WorkerLag;

  constructor(deps: ProxyViewDeps) {
    this.#deps = deps;
    this.#lag = new WorkerLag(deps.ledger, (notice) => deps.groups.broadcast(notice));
  }

  get ledger(): Ledger {
    return this.#deps.ledger;
  }

  /** As much as the buffers of all workers may hold. */
  get bufferLimitBytes(): number {
    return this.#deps.bufferLimitBytes;
  }

  get certificates(): Certificates {
    return this.#deps.certificates;
  }

  get administration(): AdministrationView {
    return this.#deps.administration;
  }

  get plan(): Plan {
    return this.#deps.runningPlan.plan;
  }

  /** What runs now, as the file says it. */
  get config(): Config {
    return this.#deps.runningPlan.config;
  }

  get phase(): Phase {
    return this.#deps.lifecycle.phase;
  }

  get phaseSinceMs(): number {
    return this.#deps.lifecycle.phaseSinceMs;
  }

  /** What there is to say of the plan's listeners, pools and backends now. */
  snapshot(): Snapshot {
    return snapshot(this, thisMoment());
  }

  /** One pool as it is now; undefined where there is none of the name. */
  pool(name: string): PoolSnapshot | undefined {
    const pool = this.plan.pools.find((one) => one.name === name);
    return pool && poolSnapshot(pool, this, thisMoment());
  }

  /** Where listeners are bound now. */
  addresses(): readonly Address[] {
    return [...this.#deps.groups.bound.values()].map(({ address }) => address);
  }

  /** The addresses that each listener of the plan is bound to, as people write them. */
  bound(): ReadonlyMap<string, readonly string[]> {
    return this.#deps.runningPlan.bound();
  }

  /** Listeners that the configuration has no more, but that have open sessions. */
  leaving(): readonly ListenerPlan[] {
    return this.#deps.runningPlan.leaving.all;
  }

  driverOf(listener: ListenerPlan): DriverModule['name'] {
    return this.#deps.runningPlan.driverOf(listener);
  }

  /** The workers that run, and how late each was when it was last looked at. */
  running(nowMs: number): readonly WorkerSnapshot[] {
    const running = this.#deps.groups.running();
    return running.map((worker) => ({ ...worker, lagMs: this.#lag.of(worker.number, nowMs) }));
  }

  /** Looks how late the workers are: the next snapshot tells. */
  probeLag(): void {
    const numbers = this.#deps.groups.running().map(({ number }) => number);
    this.#lag.ask(numbers, monotonicMs());
  }

  /** The clients of a listener that have most connections; undefined where there is no such listener. */
  busiestClients(name: string, most: number): BusyClients | undefined {
    const listener = [...this.plan.listeners, ...this.leaving()].find((one) => one.name === name);
    if (listener === undefined) return undefined;
    const { slot, policy } = listener;
    return busiestClients(this.ledger, { slot, ipv6Prefix: policy.limits.perClient.ipv6Prefix }, most);
  }

  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation {
    return explain(this.plan, this.ledger, inquiry, monotonicMs(), Math.random);
  }
}

function thisMoment(): Moment {
  return { monotonicMs: monotonicMs(), wallClockMs: Date.now() };
}
