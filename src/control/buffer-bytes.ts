import { totalmem } from 'node:os';
import type { MemoryConfig } from '../config/config.ts';

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
