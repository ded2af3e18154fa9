/** How many connections a pool takes, and how many clients wait for one. */
import type { PoolLimits } from '../../core/plan.ts';
import { section } from './option.ts';
import { connectionLimit, duration, integer } from './terms.ts';

const queue = section(
  'Waiting for a free backend, first in, first out.',
  {
    size: integer(0, 1_000_000, {
      description: 'Clients that may wait for a free backend instead of being refused.',
      default: 0,
    }),
    timeout: duration('positive', { description: 'How long each may wait.', default: 5_000 }),
  },
  ({ size, timeout }): PoolLimits['queue'] => ({ size, timeoutMs: timeout }),
);

export const poolLimits = section(
  'How much the pool takes.',
  { maxConnections: connectionLimit('Connections to the whole pool that may be open at once.'), queue },
  (limits): PoolLimits => limits,
);
