/**
 * The configuration that runs, and the plan that workers follow: made of it, of what its names stand for, and of what
 * operators want. Another plan takes the place of one for all that follow it.
 */
import { formatAddress } from '../config/addresses.ts';
import type { Config } from '../config/config.ts';
import type { ListenerSlot } from '../core/contract.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { BackendPlan, Plan } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import type { Events } from '../telemetry/events.ts';
import type { Administration } from './administration.ts';
import type { AgentWatch } from './agent/agent-watch.ts';
import type { Certificates } from './certificates.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { HealthWatch } from './health/health.ts';
import type { KeptOverrides } from './kept-overrides.ts';
import { LeavingListeners } from './leaving-listeners.ts';
import type { Override } from './overrides.ts';
import { expand, Planner } from './planner.ts';
import type { PoolWatch } from './pool-watch.ts';
import type { Reporter } from './reporter.ts';
import type { WorkerGroups } from './workers/worker-groups.ts';

export interface RunningPlanDeps {
  readonly ledger: Ledger;
  readonly administration: Administration;
  readonly discovery: Discovery;
  readonly events: Events;
  readonly reporter: Pick<Reporter, 'poolHeld' | 'poolReleased'>;
  readonly certificates: Certificates;
  readonly keptOverrides: KeptOverrides;
  readonly health: HealthWatch;
  readonly agents: AgentWatch;
  readonly poolWatch: PoolWatch;
  readonly groups: WorkerGroups;
}

/** A plan that may be adopted. */
export interface PreparedPlan {
  readonly config: Config;
  readonly plan: Plan;
  /** Takes over what is administered; gives the overrides that the configuration has overtaken. */
  commit(): readonly Override[];
}

export class RunningPlan {
  readonly #deps: RunningPlanDeps;
  readonly #planner: Planner;
  readonly leaving: LeavingListeners;
  #config: Config;
  #plan: Plan = { listeners: [], pools: [] };

  constructor(config: Config, deps: RunningPlanDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#planner = new Planner(deps.ledger);
    this.leaving = new LeavingListeners(deps.ledger);
  }

  get config(): Config {
    return this.#config;
  }

  get plan(): Plan {
    return this.#plan;
  }

  /** The plan of a configuration as things stand now. Throws a RangeError where there is too much. */
  prepare(config: Config = this.#config): PreparedPlan {
    const { administration, discovery } = this.#deps;
    const configured = expand(config, (target) => discovery.addressesOf(target));
    const listeners = config.listeners.map(({ name }) => name);
    const { pools, commit } = administration.over(configured, listeners, Date.now());
    return { config, plan: this.#planner.plan(config, pools), commit };
  }

  /** What only `before` has is served as before, until workers are told of the plan alone. */
  adopt({ config, plan, commit }: PreparedPlan, before: Plan = plan): void {
    const { ledger, certificates, keptOverrides, health, agents, poolWatch, groups } = this.#deps;
    this.leaving.follow(this.#plan.listeners, plan.listeners, (one) => this.driverOf(one));
    const old = this.#plan;
    this.#noteStates(old, plan);
    this.#config = config;
    this.#plan = plan;
    certificates.follow(config, plan);
    keptOverrides.changed(commit());
    this.#noteHolds(old, plan);
    agents.follow(config, plan);
    health.follow(config, plan);
    for (const { policy, backends } of plan.pools) {
      // A breaker that was turned off would be shown as it was left.
      if (policy.circuitBreaker === 'off') for (const { slot } of backends) ledger.closeCircuit(slot);
    }
    poolWatch.follow(plan);
    groups.broadcast({ kind: 'log', log: config.log });
    groups.follow(plan, before);
  }

  /** The addresses that each listener of the plan is bound to, as people write them. */
  bound(): ReadonlyMap<string, readonly string[]> {
    const { listeners } = this.#plan;
    const bySlot = new Map<ListenerSlot, string[]>(listeners.map(({ slot }) => [slot, []]));
    for (const { listener, address } of this.#deps.groups.bound.values())
      bySlot.get(listener)?.push(formatAddress(address));
    return new Map(listeners.map(({ name, slot }) => [name, bySlot.get(slot) ?? []]));
  }

  /** The driver that serves a listener of the plan, or one that is leaving. */
  driverOf(listener: Plan['listeners'][number]): ReturnType<WorkerGroups['driverOf']> {
    return this.leaving.driverOf(listener.name) ?? this.#deps.groups.driverOf(listener, this.#plan);
  }

  /** Since when the plan has each of its backends, and since when it is wanted as it is. */
  #noteStates(before: Plan, after: Plan): void {
    const { ledger, events } = this.#deps;
    const stateBefore = new Map(backendsOf(before).map(({ slot, state }) => [slot, state]));
    const nowMs = monotonicMs();
    for (const { pool, slot, name: backend, state } of backendsOf(after)) {
      const old = stateBefore.get(slot);
      if (old === state) continue;
      ledger.stateSinceMs[slot] = nowMs;
      if (old === undefined) ledger.plannedMs[slot] = nowMs;
      else events.publish('state', { pool, backend, state });
    }
  }

  /** Pools that are held from now on, and those that are no longer. */
  #noteHolds(before: Plan, after: Plan): void {
    const { ledger, administration, reporter } = this.#deps;
    const phases = new Map(before.pools.map(({ name, hold }) => [name, hold?.phase]));
    for (const { name, slot, hold } of after.pools) {
      const old = phases.get(name);
      if (hold?.phase === old) continue;
      const state = administration.holdOf(name);
      if (hold?.phase === 'releasing') ledger.beginRelease(slot, monotonicMs());
      if (hold?.phase === 'held' && state !== undefined) reporter.poolHeld(name, state);
      else if (old === 'held') reporter.poolReleased(name, ledger.poolQueued.total(slot), state);
    }
  }
}

function backendsOf({ pools }: Plan): readonly (BackendPlan & { readonly pool: string })[] {
  return pools.flatMap(({ name: pool, backends }) => backends.map((one) => ({ ...one, pool })));
}
