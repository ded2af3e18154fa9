/**
 * Every change of what runs: to another configuration, to what a name stands for now, to what operators want. One at a
 * time, and each takes effect whole or not at all.
 */
import { once } from 'node:events';
import type { Config, Target } from '../config/config.ts';
import type { Plan } from '../core/plan.ts';
import type { Observations } from '../telemetry/observations.ts';
import type { Administration } from './administration.ts';
import type { BindingOwner, Bindings } from './bindings.ts';
import { type Discovery, type NameChange, namesIn, poolsWith } from './discovery/discovery.ts';
import type { KeptOverrides } from './kept-overrides.ts';
import { type Lifecycle, NotServing } from './lifecycle.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { Reporter } from './reporter.ts';
import type { PreparedPlan, RunningPlan } from './running-plan.ts';
import type { WorkerGroups } from './workers/worker-groups.ts';

export interface ChangeoverDeps {
  readonly lifecycle: Lifecycle;
  readonly runningPlan: RunningPlan;
  readonly groups: WorkerGroups;
  readonly bindings: Bindings;
  readonly discovery: Discovery;
  readonly administration: Administration;
  readonly keptOverrides: KeptOverrides;
  readonly reporter: Reporter;
  readonly observations: Observations;
}

export class Changeover {
  readonly #deps: ChangeoverDeps;
  readonly #changes = new OneAtATime();
  /** Listeners that were not to accept clients when addresses were bound last. */
  #notAccepting: Administration['notAccepting'] = new Map();
  /** The configuration whose names are resolved: the running one, or the one that is to run next. */
  #named: Config;

  constructor(deps: ChangeoverDeps) {
    this.#deps = deps;
    this.#named = deps.runningPlan.config;
  }

  get named(): Config {
    return this.#named;
  }

  /**
   * Throws a BindError, or a RangeError where there is too much, and then all is as before. `freeAddresses` is called
   * before anything is bound.
   */
  toConfig(config: Config, freeAddresses = (): void => {}): Promise<void> {
    const { runningPlan, discovery, lifecycle, observations } = this.#deps;
    return this.#changes.run(async () => {
      this.#named = config;
      observations.names.follow(namesByPool(runningPlan.config, config));
      await untilAborted(discovery.resolve(targetsOf(config)), lifecycle.closed);
      try {
        freeAddresses();
        await this.#changeOver(config);
      } finally {
        // Names of a configuration that was refused are watched no longer.
        this.#named = runningPlan.config;
        discovery.retain(targetsOf(runningPlan.config));
        observations.names.follow(namesByPool(runningPlan.config));
      }
    });
  }

  /** All that can fail comes first, and is undone where something does. */
  async #changeOver(config: Config): Promise<void> {
    const { lifecycle, runningPlan, groups, keptOverrides, reporter } = this.#deps;
    if (lifecycle.phase === 'draining') throw NotServing.stopping;
    const before = runningPlan.plan;
    const boundBefore = runningPlan.bound();
    const prepared = this.#prepareAsFound(config);
    const { plan } = prepared;
    // Sockets come to life one by one: what is accepted meanwhile finds its listener in either plan.
    groups.follow(before, plan);
    let binding: Awaited<ReturnType<Bindings['prepare']>>;
    try {
      binding = await this.#bind(config, plan);
    } catch (error) {
      prepared.takeBack();
      groups.follow(runningPlan.prepare().plan);
      throw error;
    }
    // Clients that wait where a listener is closed are served as before; after that its workers forget it.
    runningPlan.adopt(prepared, before);
    await keptOverrides.keep();
    await binding.commit();
    groups.follow(plan);
    if (!lifecycle.hasStopped) reporter.bound(boundBefore, runningPlan.bound());
    this.#tellAccepting();
  }

  /** Takes over what a name stands for now. */
  toAddresses(name: string, change: NameChange): void {
    const { lifecycle, runningPlan, reporter } = this.#deps;
    this.#changes
      .run(async () => {
        if (lifecycle.closed.aborted) return;
        runningPlan.adopt(this.#prepareAsFound(runningPlan.config, name));
        reporter.nameChanged(name, poolsWith(name, runningPlan.config.pools), change);
      })
      .catch((error: unknown) => reporter.nameNotTakenOver(name, error));
  }

  /**
   * The plan with what this name, or each, was found to stand for. Throws a RangeError where there is too much; then
   * they stand for what they did, so that there is room for whatever else changes in the plan that runs.
   */
  #prepareAsFound(config: Config, name?: string): PreparedPlan & { takeBack(): void } {
    const { runningPlan, discovery } = this.#deps;
    const takeBack = discovery.takeOver(name);
    try {
      return { ...runningPlan.prepare(config), takeBack };
    } catch (error) {
      takeBack();
      throw error;
    }
  }

  /**
   * Has a change of what operators or sources want take effect, and fulfils once workers are told. `undo` takes it back
   * where a listener can't be bound; without it, that is told, and the change stays.
   */
  administer(change: () => void, undo?: () => void): Promise<void> {
    const { lifecycle, runningPlan, keptOverrides, reporter } = this.#deps;
    return this.#changes.run(async () => {
      // Draining, there may be clients still that an operator holds.
      if (lifecycle.hasStopped) throw NotServing.stopping;
      change();
      runningPlan.adopt(runningPlan.prepare());
      try {
        await this.#rebind();
      } catch (error) {
        if (undo === undefined) reporter.notBound(error);
        else {
          undo();
          runningPlan.adopt(runningPlan.prepare());
          throw error;
        }
      }
      await keptOverrides.keep();
    });
  }

  /** Stops accepting everywhere. */
  stopAccepting(): Promise<void> {
    const { lifecycle, runningPlan, bindings, reporter } = this.#deps;
    return this.#changes.run(async () => {
      const before = runningPlan.bound();
      await bindings.close();
      if (!lifecycle.hasStopped) reporter.bound(before, runningPlan.bound());
    });
  }

  /** All addresses but those of listeners that an operator has turned off. */
  #bind({ listeners }: Config, plan: Plan): ReturnType<Bindings['prepare']> {
    const { administration, bindings } = this.#deps;
    const wanted = listeners.filter(({ name }) => administration.acceptOf(name) !== 'off');
    return bindings.prepare(wanted, ({ name }) => this.#ownerOf(plan, name));
  }

  #ownerOf(plan: Plan, name: string): BindingOwner {
    const { administration, groups } = this.#deps;
    const listener = plan.listeners.find((one) => one.name === name);
    if (listener === undefined) throw new Error(`The plan has no listener ${name}`);
    const isPaused = administration.acceptOf(name) === 'paused';
    return { listener: listener.slot, driver: groups.driverOf(listener, plan), isPaused };
  }

  /** Where operators want other listeners to accept than did, or others could not be bound. */
  async #rebind(): Promise<void> {
    const { lifecycle, runningPlan, administration, reporter } = this.#deps;
    const isBound = isSameAccepting(this.#notAccepting, administration.notAccepting);
    if (isBound || lifecycle.closed.aborted) return;
    const before = runningPlan.bound();
    const binding = await this.#bind(runningPlan.config, runningPlan.plan);
    await binding.commit();
    reporter.bound(before, runningPlan.bound());
    this.#tellAccepting();
  }

  #tellAccepting(): void {
    const { administration, reporter } = this.#deps;
    const { notAccepting } = administration;
    for (const [listener, override] of notAccepting)
      if (this.#notAccepting.get(listener)?.value !== override.value)
        reporter.acceptChanged(listener, override);
    for (const listener of this.#notAccepting.keys())
      if (!notAccepting.has(listener)) reporter.acceptChanged(listener, undefined);
    this.#notAccepting = notAccepting;
  }
}

function isSameAccepting(
  one: Administration['notAccepting'],
  other: Administration['notAccepting'],
): boolean {
  return one.size === other.size && [...one].every(([name, { value }]) => other.get(name)?.value === value);
}

/** Those that several configurations have, where one takes the place of the other. */
function namesByPool(...configs: readonly Config[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const pool of configs.flatMap(({ pools }) => pools))
    names.set(pool.name, [...new Set([...(names.get(pool.name) ?? []), ...namesIn(pool)])]);
  return names;
}

function targetsOf(config: Config): readonly Target[] {
  return config.pools.flatMap(({ backends }) => backends.map(({ target }) => target));
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
  await Promise.race([wait, aborted]);
  over.abort();
}
