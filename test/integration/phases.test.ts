/** What each route and command answers while the proxy starts and while it stops: it changes nothing, and says why. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { connected, named, nextText, startBackend } from '../support/backends.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { embed } from '../support/embedded.ts';
import { type GoodRequest, goodRequests } from '../support/good-requests.ts';
import { ran } from '../support/ran.ts';
import { Sluice } from '../support/sluice.ts';

const dns = await startDnsServer({ 'silent.test': 'silent' });
const backend = await startBackend(named('ok'));
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});
afterAll(async () => {
  await dns.close();
  await backend.close();
});

const requests = [...goodRequests(backend.address)].filter(([route]) => route !== 'GET /api/v1/events');
const starting = 'The proxy is starting, and has no listeners and pools yet';
const stopping = 'The proxy is stopping, and nothing of it can be changed any more';

function configOf(target: string): object {
  return {
    version: 1,
    workers: 1,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends: [target] } },
    resolver: { servers: [dns.address], timeout: '5m' },
    admin: { bind: '127.0.0.1:0' },
    shutdown: { grace: '5m' },
  };
}

function answered(sluice: Pick<Sluice, 'ask'>, { method, path, body }: GoodRequest) {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  return sluice.ask(path, method, headers, body === undefined ? '' : JSON.stringify(body));
}

/** What answers before there are pools; a reload is answered once it has happened, which is after the start. */
const whileStarting = [
  ...['GET /livez', 'GET /metrics', 'GET /api/v1/status', 'GET /api/v1/configuration'],
  ...['GET /api/v1/whoami', 'GET /api/v1/overrides', 'GET /', 'GET /dashboard/{file}'],
];

describe('A proxy that starts', () => {
  it('answers what it can, and says of all else that it is starting', async () => {
    const sluice = await started();
    for (const [route, request] of requests) {
      if (route === 'POST /api/v1/reload') continue;
      const { code, body } = await answered(sluice, request);
      if (whileStarting.includes(route)) expect([route, code]).toEqual([route, 200]);
      else if (route === 'GET /readyz') expect([code, JSON.parse(body).phase]).toEqual([503, 'starting']);
      else expect([route, code, JSON.parse(body)]).toEqual([route, 503, { error: starting }]);
    }
  });

  const commands = [
    ['status', 'app'],
    ['drain', 'app', backend.address],
    ['weight', 'app', backend.address, '50%'],
    ['hold', 'app', '--for', '1m'],
    ['release', 'app'],
    ['sessions', '--pool', 'app'],
    ['sessions', '--close', '--all'],
  ];

  it('tells each command so', async () => {
    const sluice = await started();
    const outcomes = commands.map(async (args) => ({
      args,
      ...(await ran([...args, '--admin', String(sluice.adminPort)])),
    }));
    expect(await Promise.all(outcomes)).toEqual(
      commands.map((args) => ({ args, exit: 1, stdout: '', stderr: `sluice: ${starting}\n` })),
    );
  });
});

describe('A proxy that stops', () => {
  it('takes no other configuration, and lets pools go that are held', async () => {
    const sluice = await Sluice.run(JSON.stringify(configOf(backend.address)));
    ends.push(() => sluice.stop());
    const client = await connected(sluice.port('web'));
    ends.push(() => client.destroy());
    await nextText(client);
    sluice.signal('SIGTERM');
    await sluice.logged(({ msg }) => msg === 'closed');
    const all = goodRequests(backend.address);
    for (const route of ['POST /api/v1/reload', 'PATCH /api/v1/listeners/{listener}']) {
      const { code, body } = await answered(sluice, all.get(route) as GoodRequest); // Else the table throws.
      expect([route, code, JSON.parse(body)]).toEqual([route, 503, { error: stopping }]);
    }
    const { exit, stderr } = await ran(['reload', '--admin', String(sluice.adminPort)]);
    expect([exit, stderr]).toEqual([1, `sluice: ${stopping}\n`]);
    expect(
      (await answered(sluice, { method: 'PATCH', path: '/api/v1/pools/app', body: { hold: null } })).code,
    ).toBe(200);
    client.destroy();
    expect(await sluice.ended).toBe(0);
  });

  it('changes nothing any more once its workers end', async () => {
    const embedded = await embed(configOf(backend.address));
    ends.push(() => embedded.end());
    const [host = '', port = ''] = embedded.service.adminAddress?.split(':') ?? [];
    const url = `http://${host}:${port}`;
    await embedded.service.controlPlane.stop();
    const changes = requests.filter(([, { method }]) => method !== 'GET');
    for (const [route, { method, path, body }] of changes) {
      // There are none any more, which both say; and nothing is asked of a worker to explain.
      if (route.includes('/sessions') || route === 'POST /api/v1/explain') continue;
      const headers = { 'content-type': 'application/json' };
      const sent = body === undefined ? {} : { headers, body: JSON.stringify(body) };
      const response = await fetch(`${url}${path}`, { method, ...sent });
      expect([route, response.status, await response.json()]).toEqual([route, 503, { error: stopping }]);
    }
    expect(await (await fetch(`${url}/api/v1/overrides`)).json()).toEqual({ overrides: [] });
  });
});

/** It waits for a name server that is silent. */
async function started(): Promise<Sluice> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const file = join(folder, 'sluice.yaml');
  writeFileSync(file, JSON.stringify(configOf('silent.test:80')));
  const sluice = Sluice.spawn(['run', '-c', file], [], folder);
  ends.push(() => sluice.stop());
  await sluice.logged(({ msg }) => msg === 'admin API listening');
  return sluice;
}
