/** What a configuration would run on this machine. */
import type { Config } from '../../config/config.ts';
import { refusalOf } from '../../control/workers/group-plan.ts';
import { workerCount } from '../../control/workers/sizes.ts';
import type { DriverModule } from '../../drivers/driver.ts';
import { type DriverChoice, driverModules } from '../../drivers/drivers.ts';
import { idleProxy } from '../idle-proxy.ts';

export interface Checked {
  readonly config: Config;
  readonly driver: DriverChoice;
  /** What serves a listener, by its name; empty where the driver does not run here. */
  readonly serving: ReadonlyMap<string, ServingGroup>;
}

export interface ServingGroup {
  readonly driver: DriverModule['name'];
  readonly workers: number;
  /** Why it is not the driver that was chosen. */
  readonly because: string | undefined;
}

/** Throws a UsageError where there is more in the configuration than a proxy has room for. */
export function checked(config: Config, driver: DriverChoice): Checked {
  const { plan } = idleProxy(config);
  const { module: chosen } = driver;
  if (chosen === undefined) return { config, driver, serving: new Map() };
  const serving = plan.listeners.map((listener): [string, ServingGroup] => {
    const because = refusalOf(listener, plan, chosen);
    const module = because === undefined ? chosen : driverModules.portable;
    return [listener.name, { driver: module.name, workers: workerCount(config.workers, module), because }];
  });
  return { config, driver, serving: new Map(serving) };
}
