/** How many descriptors this process has open, and how many it may: all threads, files and probes together. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { isExhaustion } from './dial-failure.ts';
import { errorCode } from './shared.ts';

export interface DescriptorUse {
  readonly open: number;
  /** NaN where none is left to read it with. */
  readonly limit: number;
}

/** Undefined where the system does not tell. */
export function descriptorUse(): DescriptorUse | undefined {
  try {
    return { open: openDescriptors(), limit: descriptorLimit() ?? Number.NaN };
  } catch {
    return undefined;
  }
}

/** Infinity where none is left to count them with. Throws where the system does not tell. */
export function openDescriptors(): number {
  // Since Linux 6.2 the size of the directory is their number; before it is 0.
  const { size } = statSync('/proc/self/fd');
  if (size > 0) return size;
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * The soft limit (RLIMIT_NOFILE), which may be changed from outside: Infinity where the system does not tell, undefined
 * where no descriptor is left to read it with. To read it takes 80 µs.
 */
export function descriptorLimit(): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
    return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft);
  } catch (error) {
    return isExhaustion(errorCode(error)) ? undefined : Number.POSITIVE_INFINITY;
  }
}
