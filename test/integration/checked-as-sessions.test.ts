/** Health checks of backends that want what sessions bring: TLS with a certificate of the proxy, by a name. */
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { authority } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';

const [backends, proxies, strangers] = [authority('Backends'), authority('Proxies'), authority('Strangers')];
const server = backends.issue({ names: ['localhost'] });
const [proxy, stranger] = [proxies.issue({ names: ['proxy'] }), strangers.issue({ names: ['stranger'] })];

const known = { ca: 'ca.pem', cert: 'proxy.pem', key: 'proxy.key' };
const unknown = { ...known, cert: 'stranger.pem', key: 'stranger.key' };

const banner = { send: 'GET / HTTP/1.0\r\n\r\n', expect: 'HTTP/1.1 204' };
const types = ['tcp', 'tls', 'http', 'https', 'send-expect'] as const;

/** What each pool's sessions show of the proxy, and how it is checked. */
const pools = {
  ...Object.fromEntries(
    types.map((type) => [type, pool(known, { type, ...(type === 'send-expect' && banner) })]),
  ),
  'tcp-without': pool({ ca: known.ca }, { type: 'tcp' }),
  'http-without': pool({ ca: known.ca }, { type: 'http' }),
  'tcp-as-a-stranger': pool(unknown, { type: 'tcp' }),
  'http-as-a-stranger': pool(unknown, { type: 'http' }),
  'with-its-own': pool(unknown, { type: 'http', tls: { cert: known.cert, key: known.key } }),
  patient: pool(known, { type: 'http', interval: '20ms', timeout: '1s', fall: 1 }),
};

function pool(tls: object, healthCheck: object) {
  return { connect: { tls }, healthCheck: { interval: '100ms', ...healthCheck } };
}

describe('a health check of a backend that asks for the proxy’s certificate', () => {
  it.each(types)('of type %s passes with that of the sessions', async (type) => {
    expect(await verdict(type)).toBe('backend up');
  });

  it('asks by the name that the backend was given', async () => {
    expect(await verdict('http')).toBe('backend up');
    expect(new Set(requests)).toEqual(new Set([`GET / localhost:${port}`]));
    expect(new Set(names)).toEqual(new Set(['localhost']));
  });

  it.each(['tcp-without', 'http-without', 'tcp-as-a-stranger', 'http-as-a-stranger'])(
    'fails where the server refuses it: %s',
    async (name) => {
      expect(await verdict(name)).toBe('backend down');
    },
  );

  it('may show another one than sessions do', async () => {
    expect(await verdict('with-its-own')).toBe('backend up');
  });

  it('counts an answer that came while the whole process was stopped', async () => {
    expect(await verdict('patient')).toBe('backend up');
    const series = `sluice_backend_health_checks_total{pool="patient",backend="127.0.0.1:${port}",result="pass"}`;
    for (let stop = 0; stop < 2; stop++) {
      const before = await sluice.metric(series);
      sluice.signal('SIGSTOP');
      // Longer than the time-out: whatever is asked then is answered, and read late.
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      sluice.signal('SIGCONT');
      await eventually(async () => expect(await sluice.metric(series)).toBeGreaterThan(before + 1));
    }
    const downs = sluice.lines.filter((line) => line.msg === 'backend down' && line['pool'] === 'patient');
    expect(downs).toEqual([]);
  });
});

async function verdict(name: string): Promise<unknown> {
  const isVerdict = (line: LogLine) =>
    line['pool'] === name && (line.msg === 'backend up' || line.msg === 'backend down');
  return (await sluice.logged(isVerdict)).msg;
}

const requests: string[] = [];
const names: unknown[] = [];
let port = 0;
let sluice: Sluice;

beforeAll(async () => {
  const https = createServer(
    { ...server, ca: proxies.cert, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
    (request, response) => {
      if (request.httpVersion === '1.1')
        requests.push(`${request.method} ${request.url} ${request.headers.host}`);
      response.writeHead(204).end();
    },
  );
  https.on('secureConnection', (socket: TLSSocket) => names.push(socket.servername));
  https.listen(0, '127.0.0.1');
  await once(https, 'listening');
  ({ port } = https.address() as AddressInfo); // A server that listens on a port has such an address.
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const files = { 'ca.pem': backends.cert, 'proxy.pem': proxy.cert, 'proxy.key': proxy.key };
  const more = { 'stranger.pem': stranger.cert, 'stranger.key': stranger.key };
  for (const [name, text] of Object.entries({ ...files, ...more })) writeFileSync(join(folder, name), text);
  const all = Object.entries(pools);
  const config = {
    version: 1,
    workers: 1,
    listeners: Object.fromEntries(all.map(([name]) => [name, { bind: '127.0.0.1:0', pool: name }])),
    pools: Object.fromEntries(
      all.map(([name, pool]) => [name, { ...pool, backends: [`localhost:${port}`] }]),
    ),
    admin: { bind: '127.0.0.1:0' },
  };
  sluice = await Sluice.runIn(folder, JSON.stringify(config));
  return async () => {
    await sluice.stop();
    https.closeAllConnections();
    https.close();
  };
});
