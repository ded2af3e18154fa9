/**
 * The workers of each driver that some listener needs: those of the chosen one from the beginning, and those of the
 * portable one from the first listener on that the chosen one can't serve. A driver may take its whole thread, so that
 * two never share one; but all share the ledger, and so the limits.
 */
import type { LogConfig } from '../../config/config.ts';
import type { ListenerPlan, Plan } from '../../core/plan.ts';
import type { Notice } from '../../dataplane/messages.ts';
import type { DriverModule, UnlistenOptions } from '../../drivers/driver.ts';
import { driverModules } from '../../drivers/drivers.ts';
import type { Binding, BoundAddresses } from './bound-addresses.ts';
import { driverOf, groupPlan, noPlan } from './group-plan.ts';
import { Supervisor, type SupervisorDeps } from './supervisor.ts';
import type { WorkerThread } from './worker-thread.ts';

export interface WorkerGroupsDeps
  extends Omit<SupervisorDeps, 'workers' | 'firstWorker' | 'bufferBytes' | 'bound' | 'log'> {
  /** How many workers each driver may have. */
  readonly sizes: GroupSizes;
  /** All that peers can make the workers hold. */
  readonly bufferBytes: number;
  /** The log settings, until others are told. */
  readonly log: LogConfig;
  /** Workers of the portable driver run beside those of the chosen one. */
  secondGroupStarted(driver: DriverModule): void;
}

export type GroupSizes = Readonly<Record<DriverModule['name'], number>>;

export class WorkerGroups {
  readonly #deps: WorkerGroupsDeps;
  readonly bound: BoundAddresses = new Map();
  readonly #groups = new Map<DriverModule['name'], Supervisor>();
  #log: LogConfig;

  constructor(deps: WorkerGroupsDeps) {
    this.#deps = deps;
    this.#log = deps.log;
    this.#group(deps.driver);
  }

  /** Stripes that the ledger needs, one for each worker that there may be. */
  static workers(chosen: DriverModule, sizes: GroupSizes): number {
    return chosen === driverModules.portable ? sizes.portable : sizes[chosen.name] + sizes.portable;
  }

  /** Whether both drivers' workers can listen on one port, or on overlapping addresses of it, at the same time. */
  canShare(one: DriverModule['name'], other: DriverModule['name']): boolean {
    return driverModules[one].sharesPorts && driverModules[other].sharesPorts;
  }

  /** Those that run, by their numbers. */
  running(): readonly { readonly number: number; readonly driver: DriverModule['name'] }[] {
    return [...this.#groups].flatMap(([driver, { numbers }]) =>
      numbers.map((number) => ({ number, driver })),
    );
  }

  /** The threads of all drivers. */
  get threads(): readonly WorkerThread[] {
    return [...this.#groups.values()].flatMap(({ threads }) => threads);
  }

  driverOf(listener: ListenerPlan, plan: Plan): DriverModule['name'] {
    return driverOf(listener, plan, this.#deps.driver).name;
  }

  /**
   * Each group is told of its own listeners, and of those that only the other plan has, which comes next or was before.
   */
  follow(plan: Plan, other: Plan = plan): void {
    const { driver: chosen } = this.#deps;
    for (const driver of new Set([chosen, driverModules.portable])) {
      const before = this.#groups.get(driver.name)?.plan ?? noPlan;
      const own = groupPlan({ before, plan, other }, driver, chosen);
      if (own.listeners.length === 0 && !this.#groups.has(driver.name)) continue;
      this.#group(driver).broadcast({ kind: 'plan', plan: own });
    }
  }

  /** Sends a notice to the workers of all drivers. */
  broadcast(notice: Notice): void {
    if (notice.kind === 'log') this.#log = notice.log;
    for (const group of this.#groups.values()) group.broadcast(notice);
  }

  /**
   * As `Supervisor.listen`, on the workers of the binding's driver; other drivers' are left as they are. `replaces`: a
   * unix socket's name is taken from those of them that listen there.
   */
  listen(binding: Binding, replaces = false): Promise<Binding> {
    return this.#group(driverModules[binding.driver]).listen(binding, replaces);
  }

  async unlisten({ driver, address }: Binding, options?: UnlistenOptions): Promise<void> {
    await this.#groups.get(driver)?.unlisten(address, options);
  }

  async drain(untilMs: number): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.drain(untilMs)));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#groups.values()].map((group) => group.stop()));
  }

  /** The group of a driver, which is started where it does not run yet. */
  #group(driver: DriverModule): Supervisor {
    const known = this.#groups.get(driver.name);
    if (known !== undefined) return known;
    const { sizes, driver: chosen } = this.#deps;
    const workers = sizes[driver.name];
    const group = new Supervisor({
      ...this.#deps,
      log: () => this.#log,
      bound: this.bound,
      bufferBytes: Math.floor((this.#shareOf(driver) * this.#deps.bufferBytes) / workers),
      driver,
      workers,
      firstWorker: driver === chosen ? 0 : sizes[chosen.name],
    });
    this.#groups.set(driver.name, group);
    if (driver !== chosen) this.#deps.secondGroupStarted(driver);
    return group;
  }

  /** The portable driver may be needed at any time, so its share is kept for it. */
  #shareOf(driver: DriverModule): number {
    if (this.#deps.driver === driverModules.portable) return 1;
    return driver === driverModules.portable ? 1 / 4 : 3 / 4;
  }
}
