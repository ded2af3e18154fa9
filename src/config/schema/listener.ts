/** The schema of one listener. */
import Type from 'typebox';
import { expectedBind } from '../addresses.ts';
import { defaultListenerPolicy } from '../defaults.ts';
import { formatSize } from '../sizes.ts';
import { acceptedProxyProtocol } from './proxy-protocol.ts';
import { routes } from './routes.ts';
import {
  connectionLimit,
  duration,
  expects,
  integer,
  mapping,
  networks,
  oneOf,
  rate,
  size,
  text,
} from './terms.ts';
import { listenerTls } from './tls.ts';

const address = text(expectedBind, {
  description:
    'host:port, where host is an IP address or localhost; :port for every interface, IPv6 and IPv4; or unix:/path. Port 0 takes a free port. Quote an IPv6 address: "[::1]:8080".',
  examples: ['127.0.0.1:8080', ':8080', '[::1]:8080', 'unix:/run/web.sock'],
});

export const bindWithMode = mapping(
  {
    address,
    mode: Type.Optional(
      text('permissions in quotes such as "0660"', {
        pattern: '^0?[0-7]{3}$',
        description:
          "Who may connect to a unix socket: its file's permissions. Without it, what the umask leaves of 0777.",
        examples: ['0660'],
      }),
    ),
  },
  'An address with more than itself.',
);

const bind = Type.Union([address, bindWithMode], {
  [expects]: expectedBind,
});

export const binds = Type.Union(
  [address, bindWithMode, Type.Array(bind, { minItems: 1, [expects]: 'at least one address' })],
  {
    description: 'Where to accept connections: an address, or a list of them.',
    examples: [
      '127.0.0.1:8080',
      ':8080',
      ['127.0.0.1:8080', '[::1]:8080'],
      { address: 'unix:/run/web.sock', mode: '0660' },
    ],
    [expects]: `${expectedBind}, or a list of them`,
  },
);

const clientLimits = {
  maxConnections: Type.Optional(connectionLimit('Connections that may be open at once.')),
  connectionsPerSecond: Type.Optional(rate('New connections a second, by a token bucket.')),
  burst: Type.Optional(
    integer(1, 1_000_000_000, {
      description: 'Size of the token bucket; defaults to the rate, rounded up.',
      examples: [1000],
    }),
  ),
};

function listFile(what: string) {
  return text('the path of a text file', {
    description: `${what}: a file of one network or address a line, # for comments, relative to this file.`,
    examples: ['clients.txt'],
  });
}

const { inspect, limits, timeouts, refuseWith } = defaultListenerPolicy;

export const listener = mapping(
  {
    bind: binds,
    pool: Type.Optional(
      text('the name of a pool', {
        description: 'Where connections go when no route matches; without it they are refused then.',
        examples: ['app'],
      }),
    ),
    routes: Type.Optional(routes),
    inspect: Type.Optional(
      mapping(
        {
          timeout: Type.Optional(
            duration('positive', {
              description:
                'How long; who is silent until then goes to the pool, whose server may speak first.',
              default: inspect.timeoutMs,
            }),
          ),
          maxBytes: Type.Optional(size('Up to how many bytes, at most 64KiB.', formatSize(inspect.maxBytes))),
          undecided: Type.Optional(
            oneOf(['refuse', 'fallback'], {
              description:
                'HTTP or TLS that leaves undecided what a route asks for (too long, malformed, two names): refuse, or take it for absent.',
              default: inspect.undecided,
            }),
          ),
        },
        'How routes that ask for first bytes wait for them.',
      ),
    ),
    tls: Type.Optional(listenerTls),
    proxyProtocol: Type.Optional(acceptedProxyProtocol),
    limits: Type.Optional(
      mapping(
        {
          ...clientLimits,
          perClient: Type.Optional(
            mapping(
              {
                ...clientLimits,
                ipv6Prefix: Type.Optional(
                  integer(1, 128, {
                    description:
                      'IPv6 clients whose addresses agree in so many first bits count as one, here and for source-hash; 128 tells all addresses apart.',
                    default: limits.perClient.ipv6Prefix,
                  }),
                ),
              },
              'The same limits for each client address by itself.',
            ),
          ),
        },
        'What is refused before it costs a backend anything.',
      ),
    ),
    timeouts: Type.Optional(
      mapping(
        {
          idle: Type.Optional(
            duration('unlimited', {
              description: 'Ends a session after this long without a byte in either direction.',
              default: timeouts.idleMs,
            }),
          ),
          halfClosed: Type.Optional(
            duration('unlimited', {
              description:
                'Ends a session once one side has finished and the other was silent for this long.',
              default: timeouts.halfClosedMs,
            }),
          ),
          maxLifetime: Type.Optional(
            duration('unlimited', {
              description: 'Ends a session that is this old, whatever it does.',
              default: timeouts.maxLifetimeMs,
            }),
          ),
        },
        'When a session ends that does not end by itself.',
      ),
    ),
    allow: Type.Optional(
      networks({
        minItems: 1,
        description: 'Networks and addresses of clients; once some are allowed, all others are denied.',
        examples: [['10.0.0.0/8', '::1']],
      }),
    ),
    allowFile: Type.Optional(listFile('More to allow')),
    deny: Type.Optional(
      networks({
        description: 'Networks and addresses of clients that are denied, even when allowed.',
        examples: [['10.9.0.0/16']],
      }),
    ),
    denyFile: Type.Optional(listFile('More to deny')),
    refuseWith: Type.Optional(
      oneOf(['reset', 'close'], {
        description: 'What a refused client sees: reset (RST) fails it at once, close sends FIN.',
        default: refuseWith,
      }),
    ),
  },
  'Addresses to accept connections on, and what to do with them.',
);
