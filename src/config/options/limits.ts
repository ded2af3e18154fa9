/** How many connections a listener takes and how fast, how many a pool takes, and how many clients wait for one. */
import type { ClientLimits, ListenerLimits, PoolLimits, QueuePolicy } from '../../core/plan.ts';
import type { Location } from '../location.ts';
import { optional, section, type Values } from './option.ts';
import { connectionLimit, duration, integer, oneOf, rate } from './terms.ts';

const clientLimits = {
  maxConnections: connectionLimit('Connections that may be open at once.'),
  connectionsPerSecond: rate('New connections a second, by a token bucket.'),
  burst: optional(
    integer(1, 1_000_000_000, {
      description: 'Size of the token bucket; defaults to the rate, rounded up.',
      examples: [1000],
    }),
  ),
};

const perClient = section(
  'The same limits for each client address by itself.',
  {
    ...clientLimits,
    ipv6Prefix: integer(1, 128, {
      description:
        'IPv6 clients whose addresses agree in so many first bits count as one, here and for source-hash; 128 tells all addresses apart.',
      default: 64,
    }),
  },
  (values) => ({ ...limitsOf(values), ipv6Prefix: values.ipv6Prefix }),
  warnOfBurst,
);

export const listenerLimits = section(
  'What is refused before it costs a backend anything.',
  { ...clientLimits, perClient },
  (values): ListenerLimits => ({ ...limitsOf(values), perClient: values.perClient }),
  warnOfBurst,
);

type LimitValues = Values<typeof clientLimits>;

function limitsOf({ maxConnections, connectionsPerSecond, burst }: LimitValues): ClientLimits {
  return {
    maxConnections,
    connectionsPerSecond,
    burst: burst ?? Math.max(1, Math.ceil(connectionsPerSecond)),
  };
}

function warnOfBurst({ burst, connectionsPerSecond }: LimitValues, location: Location): void {
  if (burst === undefined || connectionsPerSecond !== Infinity) return;
  location.at('burst').warn('Has no effect without connectionsPerSecond');
}

const queue = section(
  'Waiting for a free backend, first in, first out.',
  {
    size: integer(0, 1_000_000, {
      description: 'Clients that may wait for a free backend instead of being refused.',
      default: 0,
    }),
    timeout: duration('positive', { description: 'How long each may wait.', default: 5_000 }),
    whenNoBackend: oneOf(['refuse', 'wait'], {
      description:
        'Where no backend is up: refuse clients, or have them wait for the first, dialing again until their time is over.',
      default: 'refuse',
    }),
  },
  ({ size, timeout, whenNoBackend }): QueuePolicy => ({ size, timeoutMs: timeout, whenNoBackend }),
  ({ size, whenNoBackend }, location) => {
    if (whenNoBackend !== 'wait' || size > 0) return;
    location.at('whenNoBackend').problem('Expected a size above 0 beside "wait": how many clients may wait');
  },
);

export const poolLimits = section(
  'How much the pool takes.',
  { maxConnections: connectionLimit('Connections to the whole pool that may be open at once.'), queue },
  (limits): PoolLimits => limits,
);
