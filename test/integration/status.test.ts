import { expect, it } from 'vitest';
import { ending, named } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const scene = openScene();

it('the status says why a breaker is open, since when, and when it tries again', async () => {
  const dead = await scene.deadBackend();
  const proxy = await scene.proxy({
    backends: [dead],
    pool: { connect: { retries: 0 }, circuitBreaker: { consecutiveFailures: 2, openFor: '1m' } },
  });
  const before = await proxy.backend();
  expect(before).toMatchObject({ circuit: 'closed', nextTrial: null, lastError: null });
  for (let dials = 0; dials < 2; dials++) await ending(scene.client(proxy.port));
  await eventually(async () => {
    const { circuit, circuitSince, nextTrial, lastError } = await proxy.backend();
    expect([circuit, lastError?.error]).toEqual(['open', 'ECONNREFUSED']);
    const [earlier, since, next] = [before.circuitSince, circuitSince, nextTrial ?? ''].map((time) =>
      Date.parse(time),
    );
    expect(since).toBeGreaterThan(earlier ?? 0);
    expect(next).toBeGreaterThan(since ?? 0);
  });
});

it('the status says of what the last dial failed, whatever the breaker makes of it', async () => {
  const dead = await scene.deadBackend();
  const alive = await scene.backend((socket) => socket.end('ok'));
  const proxy = await scene.proxy({ backends: [dead, alive.address], pool: { circuitBreaker: 'off' } });
  for (let visits = 0; visits < 2; visits++) await ending(scene.client(proxy.port));
  await eventually(async () => {
    const [refused, served] = await proxy.backends();
    expect(refused).toMatchObject({ lastDialError: { error: 'ECONNREFUSED' }, lastError: null });
    expect(served).toMatchObject({ lastDialError: null, dialFailures: 0 });
  });
});

it('the status has the last check, the name behind an address, and since when each holds', async () => {
  const backend = await scene.backend(named('ok'), { host: '127.0.0.1', port: 0 });
  const proxy = await scene.proxy({
    backends: [`localhost:${backend.port}`],
    pool: { healthCheck: { type: 'tcp', interval: '100ms' } },
  });
  await eventually(async () => {
    const { pools } = await proxy.sluice.status();
    const one = pools[proxy.pool]?.backends.find(({ address }) => address === backend.address);
    expect(one).toMatchObject({
      name: 'localhost',
      health: 'up',
      lastCheck: { pass: true, detail: expect.stringMatching(/^Passed in [\d.]+ ms$/) },
    });
    expect(Date.parse(one?.lastCheck?.at ?? '')).toBeGreaterThanOrEqual(Date.parse(one?.healthSince ?? ''));
  });
});

it('the client that holds most connections is found, on a listener without limits too', async () => {
  const backend = await scene.backend(named('ok'));
  const proxy = await scene.proxy({
    backends: [backend.address],
    listener: { proxyProtocol: { mode: 'optional', from: ['127.0.0.0/8'] } },
  });
  const clients = ['192.0.2.7', '192.0.2.7', '192.0.2.7', '198.51.100.1'].map((address) => {
    const client = scene.client(proxy.port);
    client.write(`PROXY TCP4 ${address} 192.0.2.200 40000 80\r\nhello`);
    return client;
  });
  await eventually(async () => {
    const { body } = await proxy.sluice.api(`GET clients?listener=${proxy.listener}`);
    expect(body).toEqual({
      listener: proxy.listener,
      active: 4,
      limit: 'unlimited',
      clients: 2,
      busiest: [
        { client: '192.0.2.7', connections: 3 },
        { client: '198.51.100.1', connections: 1 },
      ],
    });
  });
  for (const client of clients) client.end();
  await proxy.ended(4);
  const { body } = await proxy.sluice.api(`GET clients?listener=${proxy.listener}`);
  expect(body).toMatchObject({ clients: 0, busiest: [] });
});

it('the status tells of the process what an operator asks first', async () => {
  const backend = await scene.backend(named('ok'));
  const { sluice } = await scene.proxy({ backends: [backend.address] });
  const status = (await sluice.api('GET status')).body;
  expect(status).toMatchObject({
    pid: sluice.pid,
    phase: 'serving',
    configuration: {
      file: sluice.configFile,
      hash: expect.stringMatching(/^[0-9a-f]{16}$/),
      lastReloadFailed: false,
    },
    workerRestarts: 0,
  });
  const workers = Object.values<number>(status.workers).reduce((sum, count) => sum + count, 0);
  expect(workers).toBeGreaterThan(0);
  expect(status.descriptors.open).toBeLessThan(status.descriptors.limit);
});
