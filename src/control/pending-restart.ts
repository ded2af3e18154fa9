/**
 * What only a restart changes: how the workers run, with which driver, how much they may hold and whom they ask for
 * names. It is judged against what runs, so that it is pending until the file says again what runs, or there was a
 * restart.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../config/config.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { chooseDriver } from '../drivers/drivers.ts';
import { bufferBytes, workerCount } from './workers/sizes.ts';

const restartKeys = ['workers', 'driver', 'memory', 'resolver'] as const;
export type RestartKey = (typeof restartKeys)[number];

/** The keys that a configuration has otherwise than the process runs, in which `driver` was chosen. */
export function pendingRestart(running: Config, wanted: Config, driver: DriverModule): readonly RestartKey[] {
  const isPending: Readonly<Record<RestartKey, () => boolean>> = {
    workers: () => workerCount(wanted.workers, driver) !== workerCount(running.workers, driver),
    driver: () => wanted.driver !== running.driver && chooseDriver(wanted.driver).module !== driver,
    memory: () => bufferBytes(wanted.memory) !== bufferBytes(running.memory),
    resolver: () => !isDeepStrictEqual(wanted.resolver, running.resolver),
  };
  return restartKeys.filter((key) => isPending[key]());
}
