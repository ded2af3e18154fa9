/** The schema of one pool. */
import Type from 'typebox';
import { balances } from '../../core/plan.ts';
import { expectedTarget } from '../addresses.ts';
import { defaultBackend, defaultCircuitBreaker, defaultPoolPolicy } from '../defaults.ts';
import { healthCheck } from './health-check.ts';
import { sentProxyProtocol } from './proxy-protocol.ts';
import { connectionLimit, duration, expects, flag, integer, mapping, oneOf, percent, text } from './terms.ts';
import { backendTls } from './tls.ts';

const { connect, limits, panicThresholdPercent, slowStartMs } = defaultPoolPolicy;

const address = text(expectedTarget, {
  description:
    'host:port, where host is an IP address or a name (each address of a name is a backend of its own); srv:name for SRV records; or unix:/path. Quote an IPv6 address: "[::1]:9000".',
  examples: ['10.0.0.1:9000', 'db.internal:5432', 'srv:_pg._tcp.db.internal', 'unix:/run/app.sock'],
});

const backend = Type.Union(
  [
    address,
    mapping(
      {
        address,
        weight: Type.Optional(
          integer(0, 1_000_000, {
            description: 'Its share beside the others; 0 drains it: no new sessions.',
            default: defaultBackend.weight,
          }),
        ),
        backup: Type.Optional(
          flag({
            description: 'Takes sessions only while no other backend can.',
            default: defaultBackend.backup,
          }),
        ),
        maxConnections: Type.Optional(
          connectionLimit('Connections to this backend that may be open at once.'),
        ),
      },
      'A backend with more than an address.',
    ),
  ],
  { [expects]: `${expectedTarget}, or a mapping with an "address"` },
);

const connecting = mapping(
  {
    timeout: Type.Optional(
      duration('positive', { description: 'How long one attempt may take.', default: connect.timeoutMs }),
    ),
    retries: Type.Optional(
      integer(0, 100, {
        description: 'Further attempts after the first, each on another backend while one is left.',
        default: connect.retries,
      }),
    ),
    backoff: Type.Optional(
      mapping(
        {
          initial: Type.Optional(
            duration('zero', {
              description: 'Longest first wait; doubles from then on.',
              default: connect.backoff.initialMs,
            }),
          ),
          max: Type.Optional(
            duration('zero', { description: 'Longest wait of all.', default: connect.backoff.maxMs }),
          ),
        },
        'The wait before trying the same backend again: exponential, with full jitter.',
      ),
    ),
    proxyProtocol: Type.Optional(sentProxyProtocol),
    tls: Type.Optional(backendTls),
  },
  'Connecting to a backend.',
);

const circuitBreaker = Type.Union(
  [
    Type.Enum(['off']),
    mapping(
      {
        consecutiveFailures: Type.Optional(
          integer(1, 1_000_000, {
            description: 'Failed attempts in a row after which the backend gets no more sessions.',
            default: defaultCircuitBreaker.consecutiveFailures,
          }),
        ),
        openFor: Type.Optional(
          duration('positive', {
            description: 'How long that lasts before a trial; doubles each time a trial fails.',
            default: defaultCircuitBreaker.openForMs,
          }),
        ),
        maxOpenFor: Type.Optional(
          duration('positive', {
            description: 'The longest that it grows to.',
            default: defaultCircuitBreaker.maxOpenForMs,
          }),
        ),
        halfOpenTrials: Type.Optional(
          integer(1, 1_000_000, {
            description: 'Sessions let through at a time as trials.',
            default: defaultCircuitBreaker.halfOpenTrials,
          }),
        ),
      },
      'When to stop sending sessions to a backend that cannot be connected to.',
    ),
  ],
  {
    description: 'When to stop sending sessions to a backend that cannot be connected to. On by default.',
    examples: ['off'],
    [expects]: '"off" or a mapping',
  },
);

const poolLimits = mapping(
  {
    maxConnections: Type.Optional(connectionLimit('Connections to the whole pool that may be open at once.')),
    queue: Type.Optional(
      mapping(
        {
          size: Type.Optional(
            integer(0, 1_000_000, {
              description: 'Clients that may wait for a free backend instead of being refused.',
              default: limits.queue.size,
            }),
          ),
          timeout: Type.Optional(
            duration('positive', { description: 'How long each may wait.', default: limits.queue.timeoutMs }),
          ),
        },
        'Waiting for a free backend, first in, first out.',
      ),
    ),
  },
  'How much the pool takes.',
);

export const pool = mapping(
  {
    balance: Type.Optional(
      oneOf(balances, {
        description:
          'How a session gets its backend: in turn (round-robin), the one with the fewest connections, at random, the better of two at random (power-of-two), always the same for a client address (source-hash), or the first with room.',
        default: defaultPoolPolicy.balance,
      }),
    ),
    backends: Type.Array(backend, {
      minItems: 1,
      description: 'Who serves: addresses, or mappings with an address, weight, backup and maxConnections.',
      examples: [['10.0.0.1:9000', { address: '10.0.0.2:9000', weight: 2 }]],
      [expects]: 'a list of at least one backend, such as ["10.0.0.1:9000"]',
    }),
    connect: Type.Optional(connecting),
    healthCheck: Type.Optional(healthCheck),
    circuitBreaker: Type.Optional(circuitBreaker),
    limits: Type.Optional(poolLimits),
    slowStart: Type.Optional(
      duration('off', {
        description: 'How long a recovered backend takes from a tenth of its weight to all of it.',
        default: slowStartMs,
      }),
    ),
    whenBackendDown: Type.Optional(
      oneOf(['keep', 'close'], {
        description: 'What happens to the open connections of a backend whose checks fail.',
        default: defaultPoolPolicy.whenBackendDown,
      }),
    ),
    panicThreshold: Type.Optional(
      percent({
        description: 'Below this share of healthy backends, health is ignored.',
        default: panicThresholdPercent,
      }),
    ),
  },
  'Backends that serve the same thing.',
);
