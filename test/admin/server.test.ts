import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ReloadResult } from '../../src/admin/api/route.ts';
import { samplesOf } from '../telemetry/samples.ts';
import { answerOf, open, startAdmin } from './fixture.ts';

describe('AdminServer', () => {
  test('says that the process lives', async () => {
    const { ask } = await startAdmin();
    expect(await ask('/livez')).toMatchObject({ status: 200, body: '{"live":true}\n' });
  });

  test.each([
    ['starting', 503],
    ['serving', 200],
    ['draining', 503],
  ] as const)('is ready while %s: %i', async (phase, status) => {
    const { ask, source } = await startAdmin();
    source.phase = phase;
    const answer = await ask('/readyz');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ ready: status === 200, phase });
    expect((await ask('/livez')).status).toBe(200);
  });

  test('gives the metrics as Prometheus text', async () => {
    const { ask, source } = await startAdmin();
    source.workers[0].countAccepted(0);
    const { status, headers, body } = await ask('/metrics');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(samplesOf(body).get('sluice_listener_connections_active{listener="web"}')).toBe(1);
  });

  test('gives the status of every listener, pool and backend', async () => {
    const { ask, source } = await startAdmin();
    const [one, two] = source.workers;
    for (const worker of [one, two]) {
      worker.countAccepted(0);
      worker.countBackendConnection(0);
      worker.backendActive.tryTake(0, 9);
    }
    one.countClosed(0, 'finished');
    two.poolQueued.tryTake(0, 9);
    Atomics.store(source.ledger.health, 0, 1);
    Atomics.store(source.ledger.health, 1, 2);
    Atomics.store(source.ledger.circuit.state, 1, 1);
    const { status, headers, body } = await ask('/api/v1/status');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body)).toEqual({
      version: '1.2.3',
      driver: 'portable',
      pendingRestart: [],
      driverReason: 'the test says so',
      draining: false,
      listeners: {
        web: { bind: '0.0.0.0:8080', driver: 'uring', active: 1, total: 2 },
        api: { bind: ['127.0.0.1:8081', 'unix:/run/api.sock'], driver: 'portable', active: 0, total: 0 },
      },
      pools: {
        app: {
          balance: 'round-robin',
          queue: 1,
          backends: [
            {
              address: '10.0.0.1:9000',
              weight: 1,
              backup: false,
              health: 'up',
              circuit: 'closed',
              active: 2,
              total: 2,
              unavailable: null,
            },
            {
              address: 'unix:/run/app.sock',
              weight: 1,
              backup: false,
              health: 'down',
              circuit: 'open',
              active: 0,
              total: 0,
              unavailable: 'down',
            },
          ],
        },
        db: {
          balance: 'round-robin',
          queue: 0,
          backends: [expect.objectContaining({ address: '[::1]:5432', health: 'unknown' })],
        },
      },
    });
  });

  test('reloads', async () => {
    const { ask } = await startAdmin();
    const answer = await ask('/api/v1/reload', { method: 'POST' });
    expect(answer).toMatchObject({ status: 200, body: '{"reloaded":true,"pendingRestart":[]}\n' });
  });

  test('answers a reload that failed with every error', async () => {
    const { ask, source } = await startAdmin();
    const errors = [
      { file: 'sluice.yaml', line: 3, column: 7, path: 'pools.app', message: 'Expected backends' },
      { message: 'Can not listen on 127.0.0.1:80: permission denied' },
    ];
    source.reloaded = () => Promise.resolve<ReloadResult>({ ok: false, errors });
    const { status, body } = await ask('/api/v1/reload', { method: 'POST' });
    expect(status).toBe(422);
    expect(JSON.parse(body)).toEqual({ errors });
  });

  test('answers 500 when an answer fails, tells of it, and goes on', async () => {
    const { ask, source, errors } = await startAdmin();
    source.reloaded = () => Promise.reject(new Error('secret of the house'));
    const { status, body } = await ask('/api/v1/reload', { method: 'POST' });
    expect(status).toBe(500);
    expect(body).not.toContain('secret');
    expect(errors).toEqual([new Error('secret of the house')]);
    expect((await ask('/livez')).status).toBe(200);
  });

  test.each(['/', '/api/v1', '/metrics/', '/livez/x', '//livez', '/%2e%2e/metrics', '/constructor'])(
    'has nothing at %s',
    async (path) => {
      const { ask } = await startAdmin();
      const { status, body } = await ask(path);
      expect(status).toBe(404);
      expect(JSON.parse(body)).toEqual({ error: `Nothing is at ${path}` });
    },
  );

  test('passes over a query', async () => {
    const { ask } = await startAdmin();
    expect((await ask('/livez?verbose')).status).toBe(200);
  });

  test.each([
    ['/metrics', 'POST', 'GET, HEAD'],
    ['/livez', 'DELETE', 'GET, HEAD'],
    ['/api/v1/status', 'OPTIONS', 'GET, HEAD'],
    ['/api/v1/reload', 'GET', 'POST'],
    ['/api/v1/reload', 'HEAD', 'POST'],
  ])('allows on %s not %s, but %s', async (path, method, allow) => {
    const { ask } = await startAdmin();
    const { status, headers } = await ask(path, { method });
    expect(status).toBe(405);
    expect(headers.allow).toBe(allow);
  });

  test('answers HEAD as GET, without the body', async () => {
    const { ask } = await startAdmin();
    const { status, headers, body } = await ask('/livez', { method: 'HEAD' });
    expect({ status, body, length: headers['content-length'] }).toEqual({
      status: 200,
      body: '',
      length: '14',
    });
  });

  test('ignores a body up to 64 KiB, and does nothing for one that is longer', async () => {
    const { ask, source } = await startAdmin();
    let reloads = 0;
    source.reloaded = () => {
      reloads++;
      return Promise.resolve({ ok: true, changes: {}, pendingRestart: [] });
    };
    expect((await ask('/api/v1/reload', { method: 'POST', body: Buffer.alloc(65_536) })).status).toBe(200);
    expect((await ask('/api/v1/reload', { method: 'POST', body: Buffer.alloc(65_537) })).status).toBe(413);
    expect(reloads).toBe(1);
  });

  test('survives clients that leave in the middle', async () => {
    const { address, ask, source, errors } = await startAdmin();
    const reloading = new Promise<void>((resolve) => {
      source.reloaded = () => {
        resolve();
        return new Promise(() => {});
      };
    });
    if (!('port' in address)) throw new Error('Expected a port');
    const midBody = connect(address.port, address.host);
    midBody.write('POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc', () =>
      midBody.resetAndDestroy(),
    );
    const asked = open(address, '/api/v1/reload', { method: 'POST' });
    asked.on('error', () => {});
    await reloading;
    asked.destroy();
    expect((await ask('/livez')).status).toBe(200);
    expect(errors).toEqual([]);
  });

  test("rejects with the system's error where it can not listen", async () => {
    const { address } = await startAdmin();
    await expect(startAdmin({ bind: address })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  test('closes idle connections when it closes, and answers what is under way', async () => {
    const { address, server, source } = await startAdmin();
    if (!('port' in address)) throw new Error('Expected a port');
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    await answerOf(request({ ...address, path: '/livez', agent }).end());
    const [idle] = Object.values(agent.freeSockets).flat();
    if (idle === undefined) throw new Error('Expected a connection to be kept alive');
    const idleClosed = once(idle, 'close');

    let finishReload = (): void => {};
    const started = new Promise<void>((reloading) => {
      source.reloaded = () =>
        new Promise((resolve) => {
          finishReload = () => resolve({ ok: true, changes: {}, pendingRestart: [] });
          reloading();
        });
    });
    const busy = answerOf(
      request({
        ...address,
        path: '/api/v1/reload',
        method: 'POST',
        agent: new Agent({ keepAlive: true }),
      }).end(),
    );
    await started;
    const closed = server.close();
    await idleClosed;
    finishReload();
    expect(await busy).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await closed;
  });
});
