/** The schema of a pool's health check. Which keys go with which type is checked later, in one sentence each. */
import Type from 'typebox';
import { defaultHealthCheck, defaultProbeHttp } from '../defaults.ts';
import { duration, expects, integer, mapping, oneOf, percent, text } from './terms.ts';
import { checkTls } from './tls.ts';

const expectStatus = Type.Array(
  Type.Union(
    [
      Type.Integer({ minimum: 100, maximum: 599 }),
      Type.String({ pattern: '^[1-5][0-9]{2}(?:-[1-5][0-9]{2})?$' }),
    ],
    { [expects]: 'a status such as 204 or a range such as "200-399"' },
  ),
  {
    minItems: 1,
    description: 'http, https: answers that pass, as statuses and inclusive ranges.',
    default: defaultProbeHttp.expectStatus.map(({ from, to }) => `${from}-${to}`),
    examples: [[200, '301-399']],
    [expects]: 'a list of statuses such as [200-399]',
  },
);

export const healthCheck = mapping(
  {
    type: oneOf(['tcp', 'tls', 'http', 'https', 'send-expect'], {
      description:
        'tcp connects, http asks for a status, send-expect compares the first bytes: over TLS where sessions are. tls and https are tcp and http over TLS in any case.',
    }),
    interval: Type.Optional(
      duration('positive', {
        description: 'From one check of a backend to its next; also while it is down.',
        default: defaultHealthCheck.intervalMs,
      }),
    ),
    timeout: Type.Optional(
      duration('positive', {
        description: 'A check that takes longer has failed. Defaults to connect.timeout.',
        default: defaultHealthCheck.timeoutMs,
      }),
    ),
    rise: Type.Optional(
      integer(1, 1000, { description: 'Passes in a row to come up.', default: defaultHealthCheck.rise }),
    ),
    fall: Type.Optional(
      integer(1, 1000, { description: 'Failures in a row to go down.', default: defaultHealthCheck.fall }),
    ),
    jitter: Type.Optional(
      percent({
        description: 'Share of the interval by which each wait is longer or shorter, so that checks spread.',
        default: defaultHealthCheck.jitterPercent,
      }),
    ),
    port: Type.Optional(
      integer(1, 65_535, {
        description:
          "Where to check; defaults to the backend's port. What listens there is not what sessions are sent to: no TLS and no PROXY protocol header but what is asked for here.",
        examples: [8081],
      }),
    ),
    path: Type.Optional(
      text('a path such as "/healthz"', {
        pattern: '^/[!-~]*$',
        description: 'http, https: the path to ask for.',
        default: defaultProbeHttp.path,
        examples: ['/healthz'],
      }),
    ),
    method: Type.Optional(
      oneOf(['GET', 'HEAD', 'OPTIONS', 'POST'], {
        description: 'http, https: the method to ask with.',
        default: defaultProbeHttp.method,
      }),
    ),
    host: Type.Optional(
      text('a host name without spaces', {
        pattern: '^[!-~]+$',
        description: "http, https: the Host header; defaults to the backend's name or address.",
        examples: ['app.internal'],
      }),
    ),
    expectStatus: Type.Optional(expectStatus),
    send: Type.Optional(
      text('a text of 1 to 4096 characters', {
        maxLength: 4096,
        writeOnly: true,
        description: 'send-expect: what to send first. Line ends need double quotes: "PING\\r\\n".',
        examples: ['PING\r\n'],
      }),
    ),
    expect: Type.Optional(
      text('a text of 1 to 4096 characters', {
        maxLength: 4096,
        description: 'send-expect: what the answer must begin with.',
        examples: ['+PONG'],
      }),
    ),
    tls: Type.Optional(checkTls),
    proxyProtocol: Type.Optional(
      oneOf(['off', 'v1', 'v2'], {
        description:
          'A PROXY protocol header ahead of the check, which names no client. Defaults to connect.proxyProtocol; at a port of the check itself, to off.',
      }),
    ),
  },
  'Asks each backend at intervals whether it can serve. Without this key nobody asks.',
);
