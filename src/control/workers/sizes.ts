/** How many workers there are, and what peers can make all of them hold. */
import { availableParallelism, totalmem } from 'node:os';
import type { Logger } from 'pino';
import type { Config, MemoryConfig } from '../../config/config.ts';
import type { DriverModule } from '../../drivers/driver.ts';

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

/** All that peers can make the proxy hold: of `auto`, a quarter of what it may use, and no more than 512 MiB. */
export function bufferBytes({ bufferBytes }: MemoryConfig, usableBytes: number = memoryBytes()): number {
  return bufferBytes === 'auto' ? Math.min(usableBytes / 4, mostAutoBytes) : bufferBytes;
}

const mostAutoBytes = 512 * 2 ** 20;

/** The container's limit (cgroup), where there is one, or all that the machine has. */
function memoryBytes(): number {
  // 0, or more than there is, where no limit is set.
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}
