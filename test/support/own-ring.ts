import { spawnSync } from 'node:child_process';
import { nodeBinary } from './sluice.ts';

/**
 * Whether Node's own event loop runs on io_uring, as that of Node 26 does: it aborts where a filter that comes after
 * its start takes io_uring_enter away. Under one that is there from the start, as a container's, it makes no ring.
 */
export function nodeNeedsItsRing(): boolean {
  const filter = new URL('./refuse-system-call.mjs', import.meta.url).href;
  const env = { ...process.env, SLUICE_TEST_REFUSES: '426:1' };
  const { signal } = spawnSync(nodeBinary, ['--import', filter, '-e', 'setTimeout(() => {}, 10)'], { env });
  return signal === 'SIGABRT';
}
