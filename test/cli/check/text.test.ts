import { describe, expect, it } from 'vitest';
import { checked } from '../../../src/cli/check/checked.ts';
import { asJson } from '../../../src/cli/check/json.ts';
import { asText } from '../../../src/cli/check/text.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { driverModules } from '../../../src/drivers/drivers.ts';
import { uringWithoutTls } from '../../control/workers/tls-plans.ts';
import { selfSigned } from '../../support/certificate.ts';
import { configOf, readFrom } from '../../support/configuration.ts';

const { cert, key } = selfSigned('a.example');
const files = { '/etc/sluice/a.pem': cert, '/etc/sluice/a.key': key };

const modules = { ...driverModules, 'uring without TLS': uringWithoutTls };

function checkedOn(driver: keyof typeof modules, listener: string, pool = '') {
  const text = `version: 1
workers: 1
listeners:
  web:
    bind: 127.0.0.1:8080
    pool: app
${listener.replaceAll(/^(?=.)/gm, '    ')}
pools:
  app:
    backends: ["127.0.0.1:9000"]
${pool.replaceAll(/^(?=.)/gm, '    ')}
`;
  const options = { file: '/etc/sluice/sluice.yaml', env: {}, readFile: readFrom(files) };
  const config = configOf(parseConfig(text, options));
  return checked(config, { module: modules[driver], why: 'the test asks for it' });
}

function linesOf(...given: Parameters<typeof checkedOn>): readonly string[] {
  return asText(checkedOn(...given))
    .split('\n')
    .map((line) => line.trimStart());
}

const terminates = 'tls: { certificates: [{ cert: a.pem, key: a.key }] }';

describe('asText', () => {
  it('says all that holds without a word of the file', () => {
    expect(asText(checkedOn('uring', ''))).toBe(`driver    uring, because the test asks for it
listener  web on 127.0.0.1:8080 to pool app
          runs on uring with 1 worker
          limits: none
          time-outs: idle 10m, half-closed 1m, lifetime unlimited
pool      app, round-robin, not health-checked
          127.0.0.1:9000, weight 1
          connect: within 2s, 2 retries after 50ms to 1s
          limits: none
          queue: none
          circuit breaker: opens after 5 failures in a row, for 5s to 5m
admin     off
`);
  });

  it.each([
    [terminates, '', 'TLS from TLSv1.2 on with 1 certificate, handshake within 5s'],
    [
      'tls: { certificates: [{ cert: a.pem, key: a.key }], minVersion: TLSv1.3, alpn: [h2, http/1.1], clientAuth: required, clientCa: a.pem }',
      '',
      'TLS from TLSv1.3 on with 1 certificate, ALPN h2, http/1.1, handshake within 5s',
      'client certificates required',
    ],
    [
      'limits: { maxConnections: 1, connectionsPerSecond: 500, burst: 1000, perClient: { maxConnections: 100 } }',
      '',
      'limits: 1 connection, 500 new a second in bursts of 1000',
      'limits of a client: 100 connections',
    ],
    ['timeouts: { idle: 5m, maxLifetime: 1h }', '', 'time-outs: idle 5m, half-closed 1m, lifetime 1h'],
    ['allow: [10.0.0.0/8]\ndeny: [10.1.0.0/16, ::1]', '', 'allows 1 network', 'denies 2 networks'],
    [
      'proxyProtocol: { mode: required, from: [10.0.0.0/8, unix] }',
      '',
      'PROXY protocol required from 1 network and unix sockets, within 3s',
    ],
    ['refuseWith: close', '', 'closes who is refused, without a reset'],
    [
      '',
      'limits: { maxConnections: 7, queue: { size: 5 } }',
      'limits: 7 connections',
      'queue: 5 clients, each for 5s',
    ],
    [
      '',
      'connect: { timeout: 1s, retries: 0, proxyProtocol: v2, tls: { ca: a.pem, servername: a.internal, cert: a.pem, key: a.key } }',
      'connect: within 1s, no retries, PROXY protocol v2',
      'TLS to backends, verified as a.internal by authorities of its own, with a client certificate',
    ],
    [
      '',
      'connect: { retries: 1, tls: { verify: false } }',
      'connect: within 2s, 1 retry after 50ms to 1s',
      'TLS to backends, not verified',
    ],
    [
      '',
      'limits: { queue: { size: 5, whenNoBackend: wait } }',
      'queue: 5 clients, each for 5s, also for the first backend to come up',
    ],
    ['', 'circuitBreaker: off\nslowStart: 10s', 'circuit breaker: off', 'slow start over 10s'],
    ['', 'agentCheck: { port: 9009 }', 'asks an agent beside each backend on port 9009 every 2s'],
    [
      '',
      'agentCheck: { port: 9009, host: 10.0.0.9, interval: 1m }',
      'asks an agent at 10.0.0.9 on port 9009 every 1m',
    ],
    [
      '',
      'whenBackendDown: close\npanicThreshold: 50%',
      'closes the connections of a backend that went down',
      'ignores health while fewer than 50% of the backends are healthy',
    ],
  ])('of listener %j and pool %j says %j', (listener, pool, ...said) => {
    expect(linesOf('uring', listener, pool)).toEqual(expect.arrayContaining(said));
  });
});

it.each([
  [terminates, '', 'runs on portable with 1 worker, because it terminates TLS'],
  ['', 'connect: { tls: {} }', 'runs on portable with 1 worker, because pool app is dialed over TLS'],
])('asText says why listener "%s" and pool "%s" are not served by the driver that was chosen', (...row) => {
  const [listener, pool, line] = row;
  expect(linesOf('uring without TLS', listener, pool)).toContain(line);
});

it('asJson says what runs each listener', () => {
  expect(JSON.parse(asJson(checkedOn('uring without TLS', terminates)))).toMatchObject({
    driver: 'uring',
    listeners: [{ name: 'web', driver: 'portable', workers: 1 }],
  });
});
