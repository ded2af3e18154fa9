/**
 * The one schema of the configuration file: the types of what is read, its validation, and the JSON Schema
 * that editors complete from. It holds what can be said of a value by itself; what several values must be
 * together is checked where they are read.
 *
 * In string values `${NAME}` and `${NAME:-default}` stand for environment variables. A value that is only
 * that, such as `burst: ${BURST}`, is a string where its key takes strings, and else is read as YAML would.
 * Inside `{ }` and `[ ]` YAML wants quotes around it.
 */
import Type, { type Static } from 'typebox';
import { expectedBind, formatAddress } from '../addresses.ts';
import {
  defaultAdminBind,
  defaultLog,
  defaultMemory,
  defaultResolver,
  defaultShutdown,
} from '../defaults.ts';
import { sizePattern } from '../sizes.ts';
import { bindWithMode, listener } from './listener.ts';
import { pool } from './pool.ts';
import { duration, expects, flag, integer, mapping, named, oneOf, text } from './terms.ts';

const workers = Type.Union([integer(1, 256, { description: 'So many threads.' }), Type.Enum(['auto'])], {
  description: 'Threads that move data; auto is one per CPU.',
  default: 'auto',
  [expects]: 'an integer from 1 to 256 or "auto"',
});

const admin = mapping(
  {
    bind: Type.Optional(
      Type.Union([text(`${expectedBind}, or "off"`, { description: 'The address.' }), bindWithMode], {
        description:
          'Where the admin API listens: off, host:port or unix:/path. Anything but loopback and unix needs a token.',
        default: formatAddress(defaultAdminBind),
        examples: [
          '127.0.0.1:9900',
          'unix:/run/sluice-admin.sock',
          { address: 'unix:/run/sluice-admin.sock', mode: '0600' },
          'off',
        ],
        [expects]: `${expectedBind}, or "off"`,
      }),
    ),
    token: Type.Optional(
      Type.String({
        pattern: '^[!-~]*$',
        maxLength: 4096,
        writeOnly: true,
        description: 'What requests must bring as "Authorization: Bearer …". Empty is none.',
        examples: [`\${SLUICE_ADMIN_TOKEN:-}`],
        [expects]: 'a token of printable ASCII without spaces',
      }),
    ),
  },
  'The admin API: state, metrics, reload. Off without this key.',
);

const resolver = mapping(
  {
    servers: Type.Optional(
      Type.Union(
        [
          Type.Enum(['system']),
          Type.Array(
            text('the IP address of a name server such as "10.0.0.2:53"', {
              description: 'IP address of a name server; the port defaults to 53.',
            }),
            { minItems: 1, [expects]: 'at least one name server' },
          ),
        ],
        {
          description: "Name servers to ask for backends' names: IP addresses, or those of the system.",
          default: 'system',
          examples: ['system', ['127.0.0.1:53']],
          [expects]: '"system" or a list of name servers such as ["10.0.0.2:53"]',
        },
      ),
    ),
    timeout: Type.Optional(
      duration('positive', {
        description: 'How long an answer may take.',
        default: defaultResolver.timeoutMs,
      }),
    ),
  },
  "How backends' names are resolved.",
);

export const configSchema = Type.Object(
  {
    version: Type.Enum([1], { description: 'The version of this format.', [expects]: '1' }),
    workers: Type.Optional(workers),
    driver: Type.Optional(
      oneOf(['auto', 'uring', 'portable'], {
        description:
          'What moves the bytes: io_uring on Linux, or node:net everywhere; auto is the first that runs here.',
        default: 'auto',
      }),
    ),
    memory: Type.Optional(
      mapping(
        {
          buffers: Type.Optional(
            Type.Union(
              [
                Type.Enum(['auto']),
                Type.Integer({ minimum: 1 }),
                Type.String({ pattern: `^${sizePattern}$` }),
              ],
              {
                description:
                  "All that peers can make the proxy hold, over all workers; auto is a quarter of the container's or machine's memory, at most 512MiB.",
                default: defaultMemory.bufferBytes,
                examples: ['auto', '128MiB'],
                [expects]: '"auto" or a size such as "128MiB"',
              },
            ),
          ),
        },
        'Memory.',
      ),
    ),
    listeners: named('listener', listener, 'Where connections come in, by name.'),
    pools: named('pool', pool, 'Where connections go, by name.'),
    admin: Type.Optional(admin),
    log: Type.Optional(
      mapping(
        {
          level: Type.Optional(
            oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], {
              description: 'The least that is worth a line.',
              default: defaultLog.level,
            }),
          ),
          sessions: Type.Optional(
            flag({ description: 'One line for each finished connection.', default: defaultLog.sessions }),
          ),
          emptySessions: Type.Optional(
            flag({
              description:
                'Also for clients that left without a byte before they were routed, as the checks of balancers in front do.',
              default: defaultLog.emptySessions,
            }),
          ),
        },
        'Log lines on standard output.',
      ),
    ),
    shutdown: Type.Optional(
      mapping(
        {
          delay: Type.Optional(
            duration('zero', {
              description:
                'How long listeners go on accepting after SIGTERM or SIGINT while /readyz answers 503, so that balancers in front notice.',
              default: defaultShutdown.delayMs,
            }),
          ),
          grace: Type.Optional(
            duration('zero', {
              description:
                'How long open connections may take to finish after SIGTERM or SIGINT, and after the delay.',
              default: defaultShutdown.graceMs,
            }),
          ),
        },
        'Stopping.',
      ),
    ),
    resolver: Type.Optional(resolver),
  },
  {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'sluice configuration',
    description: 'A load-balancing TCP reverse proxy.',
    patternProperties: {
      '^x-': { description: 'Left alone: a place for anchors, which others refer to or merge (<<).' },
    },
    additionalProperties: false,
    [expects]: 'a mapping with version, listeners and pools',
  },
);

export type ConfigInput = Static<typeof configSchema>;
export type ListenerInput = Static<typeof listener>;
export type BindInput = string | Static<typeof bindWithMode>;
export type PoolInput = Static<typeof pool>;
export type RouteInput = NonNullable<ListenerInput['routes']>[number];
export type ListenerTlsInput = NonNullable<ListenerInput['tls']>;
export type AcceptedProxyProtocolInput = NonNullable<ListenerInput['proxyProtocol']>;
type ConnectInput = NonNullable<PoolInput['connect']>;
export type BackendTlsInput = NonNullable<ConnectInput['tls']>;
export type SentProxyProtocolInput = NonNullable<ConnectInput['proxyProtocol']>;
export type AdminInput = Static<typeof admin>;
export type ResolverInput = Static<typeof resolver>;
