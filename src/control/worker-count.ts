import { availableParallelism } from 'node:os';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import type { DriverModule } from '../drivers/driver.ts';

/** How many workers to start: one where the driver can't share a port between threads here. */
export function workerCount(wanted: Config['workers'], driver: DriverModule, logger?: Logger): number {
  if (driver.sharesPorts) return wanted === 'auto' ? availableParallelism() : wanted;
  if (wanted !== 'auto' && wanted > 1) {
    logger?.warn(
      { wanted, driver: driver.name },
      'one worker runs: the driver needs Node 22.12 or newer on Linux to share a port between threads',
    );
  }
  return 1;
}
