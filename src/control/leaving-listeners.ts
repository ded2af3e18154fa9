/** Listeners that are in no plan any more and have open sessions still, with the driver that serves these. */
import type { Ledger } from '../core/ledger/ledger.ts';
import type { ListenerPlan } from '../core/plan.ts';
import type { DriverModule } from '../drivers/driver.ts';

type DriverName = DriverModule['name'];

export class LeavingListeners {
  readonly #ledger: Ledger;
  readonly #byName = new Map<string, { readonly plan: ListenerPlan; readonly driver: DriverName }>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  get all(): readonly ListenerPlan[] {
    for (const [name, { plan }] of this.#byName)
      if (this.#ledger.openSessions(plan.slot) === 0) this.#byName.delete(name);
    return [...this.#byName.values()].map(({ plan }) => plan);
  }

  driverOf(name: string): DriverName | undefined {
    return this.#byName.get(name)?.driver;
  }

  /** Another plan takes the place of one. */
  follow(
    before: readonly ListenerPlan[],
    after: readonly ListenerPlan[],
    driverOf: (listener: ListenerPlan) => DriverName,
  ): void {
    const staying = new Set(after.map(({ name }) => name));
    for (const name of staying) this.#byName.delete(name);
    for (const plan of before) {
      if (!staying.has(plan.name)) this.#byName.set(plan.name, { plan, driver: driverOf(plan) });
    }
  }
}
