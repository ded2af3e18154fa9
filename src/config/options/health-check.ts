/** A pool's health check: its rhythm, and what each type of probe needs. */
import { isIP } from 'node:net';
import type { BackendTls, ConnectPolicy } from '../../core/plan.ts';
import type { CheckConnection, HealthCheckConfig, ProbeConfig } from '../config.ts';
import { meansOn, quoted, textOf } from '../guesses.ts';
import type { Location } from '../location.ts';
import { expects, guesses } from './json-schema.ts';
import { type Inputs, list, mapping, optional, type Reader, type Values, withDefault } from './option.ts';
import { duration, integer, oneOf, orList, percent, text } from './terms.ts';
import { checkTls } from './tls.ts';

const defaultStatus = { from: 200, to: 399 };

const statusRange: Reader<number | string, typeof defaultStatus> = {
  schema: {
    anyOf: [
      { type: 'integer', minimum: 100, maximum: 599 },
      { type: 'string', pattern: '^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$' },
    ],
    [expects]: 'a status such as 204 or a range such as "200-399"',
    [guesses]: meantStatus,
  },
  read: (input, location) => {
    const [from = 0, to = from] = String(input).split('-').map(Number);
    if (from > to) location.expected('a range that goes up, such as "200-399"');
    return { from, to };
  },
};

/** `2xx` is a class of statuses. */
function meantStatus(found: unknown): string | undefined {
  const [, hundreds] = /^([1-5])xx$/i.exec(textOf(found)) ?? [];
  return hundreds === undefined ? undefined : quoted(`${hundreds}00-${hundreds}99`);
}

const otherTypes = {
  httpchk: 'http',
  'ssl-hello-chk': 'tls',
  connect: 'tcp',
  'tcp-check': 'send-expect',
  'redis-check': 'send-expect',
} as const;

const options = {
  type: oneOf(
    ['tcp', 'tls', 'http', 'https', 'send-expect'],
    {
      description:
        'tcp connects, http asks for a status, send-expect compares the first bytes: over TLS where sessions are. tls and https are tcp and http over TLS in any case.',
    },
    otherTypes,
  ),
  interval: duration('positive', {
    description: 'From one check of a backend to its next; also while it is down.',
    default: 5_000,
  }),
  timeout: optional(
    duration('positive', {
      description: 'A check that takes longer has failed. Defaults to connect.timeout.',
      default: 2_000,
    }),
  ),
  rise: integer(1, 1000, { description: 'Passes in a row to come up.', default: 2 }),
  fall: integer(1, 1000, { description: 'Failures in a row to go down.', default: 3 }),
  jitter: percent({
    description: 'Share of the interval by which each wait is longer or shorter, so that checks spread.',
    default: 10,
  }),
  port: optional(
    integer(1, 65_535, {
      description:
        "Where to check; defaults to the backend's port. What listens there is not what sessions are sent to: no TLS and no PROXY protocol header but what is asked for here.",
      examples: [8081],
    }),
  ),
  path: text('a path such as "/healthz"', {
    pattern: '^/[!-~]*$',
    description: 'http, https: the path to ask for.',
    default: '/',
    examples: ['/healthz'],
  }),
  method: oneOf(['GET', 'HEAD', 'OPTIONS', 'POST'], {
    description: 'http, https: the method to ask with.',
    default: 'GET',
  }),
  host: optional(
    text('a host name without spaces', {
      pattern: '^[!-~]+$',
      description: "http, https: the Host header; defaults to the backend's name or address.",
      examples: ['app.internal'],
    }),
  ),
  expectStatus: withDefault(
    list(statusRange, {
      minItems: 1,
      description: 'http, https: answers that pass, as statuses and inclusive ranges.',
      default: [`${defaultStatus.from}-${defaultStatus.to}`],
      examples: [[200, '301-399']],
      [expects]: 'a list of statuses such as [200-399]',
    }),
    [defaultStatus],
  ),
  send: optional(
    text('a text of 1 to 4096 characters', {
      maxLength: 4096,
      writeOnly: true,
      description: 'send-expect: what to send first. Line ends need double quotes: "PING\\r\\n".',
      examples: ['PING\r\n'],
    }),
  ),
  expect: optional(
    text('a text of 1 to 4096 characters', {
      maxLength: 4096,
      description: 'send-expect: what the answer must begin with.',
      examples: ['+PONG'],
    }),
  ),
  tls: checkTls,
  proxyProtocol: optional(
    oneOf(['off', 'v1', 'v2'], {
      description:
        'A PROXY protocol header ahead of the check, which names no client. Defaults to connect.proxyProtocol; at a port of the check itself, to off.',
    }),
  ),
};

type CheckValues = Values<typeof options>;

/** The check as the file has it. `withConnection` adds what it takes from `connect`. */
export const healthCheck = optional(
  mapping(
    'Asks each backend at intervals whether it can serve. Without this key nobody asks.',
    options,
    (values, location, input) => {
      checkKeysOfType(location, input);
      if (asksForTls(values) && values.tls === 'off') {
        location.at('tls').expected(`a mapping beside the type "${values.type}", which is TLS`);
      }
      return { ...values, probe: probeOf(values, location) };
    },
    {
      example: '{ type: http, path: /healthz }',
      guess: (found) => (meansOn(found) ? '{ type: tcp }' : undefined),
    },
  ),
);

export function withConnection(
  check: CheckValues & { readonly probe: ProbeConfig },
  connect: ConnectPolicy,
): HealthCheckConfig {
  const { probe, interval, timeout, rise, fall, jitter, port, proxyProtocol } = check;
  const inherited = connect.proxyProtocol === 'off' ? 'off' : connect.proxyProtocol.version;
  const own = tlsOf(check, connect.tls);
  const asked = asksForTls(check);
  const connection: CheckConnection = {
    proxyProtocol: proxyProtocol ?? inherited,
    tls: asked || (connect.tls !== 'off' && check.tls !== 'off') ? own : 'off',
  };
  const connectionElsewhere: CheckConnection = {
    proxyProtocol: proxyProtocol ?? 'off',
    tls: asked ? own : 'off',
  };
  return {
    probe,
    intervalMs: interval,
    timeoutMs: timeout ?? connect.timeoutMs,
    rise,
    fall,
    jitterPercent: jitter,
    port,
    connection,
    connectionElsewhere,
  };
}

/** Whether the check is made over TLS wherever it connects. */
function asksForTls({ type, tls }: CheckValues): boolean {
  return type === 'tls' || type === 'https' || typeof tls === 'object';
}

/** The TLS of a check that uses TLS. What it does not set is as for sessions. */
function tlsOf({ tls, host }: CheckValues, inherited: BackendTls | 'off'): BackendTls {
  // If sessions use no TLS, the Host header is the best guess at the server's name.
  const base =
    inherited === 'off'
      ? { servername: nameIn(host), verify: true, ca: undefined, cert: undefined, key: undefined }
      : inherited;
  if (typeof tls !== 'object') return base;
  const { cert, key } = tls.cert === undefined ? base : tls;
  return {
    servername: tls.servername ?? base.servername,
    verify: tls.verify ?? base.verify,
    ca: tls.ca ?? base.ca,
    cert,
    key,
  };
}

/** The name in `name` or `name:port`; undefined where it is an IP address, which TLS names are not. */
function nameIn(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d+$/, '');
  return name === undefined || name.includes(':') || isIP(name) !== 0 ? undefined : name;
}

const typesWith: Readonly<Partial<Record<keyof CheckValues, readonly CheckValues['type'][]>>> = {
  path: ['http', 'https'],
  method: ['http', 'https'],
  host: ['http', 'https'],
  expectStatus: ['http', 'https'],
  send: ['send-expect'],
  expect: ['send-expect'],
};

function checkKeysOfType(location: Location, input: Inputs<typeof options>): void {
  for (const [key, types] of Object.entries(typesWith)) {
    if (!(key in input) || types.includes(input.type)) continue;
    const wanted = orList(types.map((type) => `"${type}"`));
    location.at(key).problem(`Key "${key}" goes with type ${wanted}, found type "${input.type}"`, 'key');
  }
}

function probeOf(values: CheckValues, location: Location): ProbeConfig {
  const { type, method, path, host, expectStatus, send, expect } = values;
  switch (type) {
    case 'tcp':
    case 'tls':
      return { type };
    case 'http':
    case 'https':
      return { type, http: { method, path, host, expectStatus } };
    case 'send-expect':
      if (expect === undefined && !location.at('expect').isWritten) {
        location.at('expect').problem('Missing key "expect", what the answer must begin with');
      }
      return { type, send, expect: expect ?? '' };
  }
}
