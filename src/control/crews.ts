/**
 * The workers of each driver that some listener needs: those of the chosen one from the beginning, and those of the
 * portable one from the first listener on that the chosen one can't serve. A driver may take its whole thread, so that
 * two never share one; but all share the ledger, and so the limits.
 */
import type { LogConfig } from '../config/config.ts';
import type { Address, ListenerSlot } from '../core/contract.ts';
import type { ListenerPlan, Plan } from '../core/plan.ts';
import type { DriverModule, UnlistenOptions } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';
import { crewPlan } from './crew-plan.ts';
import { driverOf } from './driver-of.ts';
import { Supervisor, type SupervisorParts } from './supervisor.ts';

export interface CrewsParts extends Omit<SupervisorParts, 'workers' | 'firstWorker' | 'bufferBytes'> {
  /** How many workers each driver may have. */
  readonly sizes: CrewSizes;
  /** All that peers can make the workers hold. */
  readonly bufferBytes: number;
  /** The portable driver has been called in. */
  calledIn(driver: DriverModule): void;
}

export type CrewSizes = Readonly<Record<DriverModule['name'], number>>;

/** An address that workers listen on, for whom, and by which driver. */
export interface Binding {
  readonly listener: ListenerSlot;
  readonly address: Address;
  readonly driver: DriverModule['name'];
}

interface Crew {
  readonly supervisor: Supervisor;
  plan: Plan;
}

const noPlan: Plan = { listeners: [], pools: [] };

export class Crews {
  readonly #parts: CrewsParts;
  readonly #crews = new Map<DriverModule['name'], Crew>();
  #log: LogConfig;

  constructor(parts: CrewsParts) {
    this.#parts = parts;
    this.#log = parts.log;
    this.#call(parts.driver);
  }

  /** Stripes that the ledger needs, one for each worker that there may be. */
  static workers(chosen: DriverModule, sizes: CrewSizes): number {
    return chosen === driverModules.portable ? sizes.portable : sizes[chosen.name] + sizes.portable;
  }

  /** Whether both drivers' workers can listen on one port, or on overlapping addresses of it, at the same time. */
  canShare(one: DriverModule['name'], other: DriverModule['name']): boolean {
    return driverModules[one].sharesPorts && driverModules[other].sharesPorts;
  }

  driverOf(listener: ListenerPlan, plan: Plan): DriverModule['name'] {
    return driverOf(listener, plan, this.#parts.driver).name;
  }

  /** Each crew learns of its own listeners, and of those that only the other plan has, which comes next or was before. */
  follow(plan: Plan, other: Plan = plan): void {
    const { driver: chosen } = this.#parts;
    for (const driver of new Set([chosen, driverModules.portable])) {
      const before = this.#crews.get(driver.name)?.plan ?? noPlan;
      const own = crewPlan({ before, plan, other }, driver, chosen);
      if (own.listeners.length === 0 && !this.#crews.has(driver.name)) continue;
      const crew = this.#call(driver);
      crew.plan = own;
      crew.supervisor.follow(own);
    }
  }

  configureLog(log: LogConfig): void {
    this.#log = log;
    for (const supervisor of this.#all()) supervisor.configureLog(log);
  }

  healthChanged(backend: number, health: 'up' | 'down'): void {
    for (const supervisor of this.#all()) supervisor.healthChanged(backend, health);
  }

  /**
   * As `Supervisor.listen`, on the workers of the binding's driver; other drivers' are left as they are. `replaces`: a
   * unix socket's name is taken from those of them that listen there.
   */
  async listen(binding: Binding, replaces = false): Promise<Binding> {
    const { supervisor } = this.#call(driverModules[binding.driver]);
    const { address } = await supervisor.listen(binding, replaces);
    return { ...binding, address };
  }

  async unlisten({ driver, address }: Binding, options?: UnlistenOptions): Promise<void> {
    await this.#crews.get(driver)?.supervisor.unlisten(address, options);
  }

  async drain(untilMs: number): Promise<void> {
    await Promise.all(this.#all().map((supervisor) => supervisor.drain(untilMs)));
  }

  async stop(): Promise<void> {
    await Promise.all(this.#all().map((supervisor) => supervisor.stop()));
  }

  #call(driver: DriverModule): Crew {
    const known = this.#crews.get(driver.name);
    if (known !== undefined) return known;
    const { sizes, driver: chosen } = this.#parts;
    const workers = sizes[driver.name];
    const supervisor = new Supervisor({
      ...this.#parts,
      bufferBytes: Math.floor((this.#shareOf(driver) * this.#parts.bufferBytes) / workers),
      log: this.#log,
      driver,
      workers,
      firstWorker: driver === chosen ? 0 : sizes[chosen.name],
    });
    const crew: Crew = { supervisor, plan: noPlan };
    this.#crews.set(driver.name, crew);
    if (driver !== chosen) this.#parts.calledIn(driver);
    return crew;
  }

  /** The portable driver may be called in at any time, so that what it needs is kept for it. */
  #shareOf(driver: DriverModule): number {
    if (this.#parts.driver === driverModules.portable) return 1;
    return driver === driverModules.portable ? 1 / 4 : 3 / 4;
  }

  #all(): readonly Supervisor[] {
    return [...this.#crews.values()].map(({ supervisor }) => supervisor);
  }
}
