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

  test('gives the status of the process, and of every listener, pool and backend', async () => {
    const { ask, source } = await startAdmin();
    const [one, two] = source.workers;
    for (const worker of [one, two]) {
      worker.countAccepted(0);
      worker.countBackendConnection(0);
      worker.backendActive.tryTake(0, 9);
      worker.poolActive.tryTake(0, 9);
    }
    one.countClosed(0, 'finished');
    one.bufferBytes[0] = 40;
    two.poolQueued.tryTake(0, 9);
    two.queueTickets.draw(0, true, 750);
    const { ledger, observations, plan } = source;
    // The source's clock stands at 1,000 ms, and that of people a second after its start.
    for (const slot of [0, 1, 2]) ledger.plannedMs[slot] = 100;
    Atomics.store(ledger.health, 0, 1);
    Atomics.store(ledger.health, 1, 2);
    ledger.healthSinceMs[1] = 600;
    ledger.stateSinceMs[1] = 300;
    Atomics.store(ledger.circuit.state, 1, 1);
    ledger.circuit.sinceMs[1] = 900;
    ledger.circuit.untilMs[1] = 3_000;
    const startedMs = observations.startedMs;
    const check = { atMs: startedMs + 700, tookMs: 1.2345, pass: false, detail: 'Connection refused' };
    observations.checked('app', 'unix:/run/app.sock', check, plan);
    const opened = { atMs: startedMs + 900, error: 'ECONNREFUSED' };
    observations.circuitOpened('app', 'unix:/run/app.sock', opened, plan);
    const failed = { atMs: startedMs + 950, error: 'ETIMEDOUT' };
    observations.dialFailed('app', 'unix:/run/app.sock', failed, plan);
    observations.names.follow(new Map([['db', ['db.internal']]]));
    observations.names.lookedUp('db.internal', undefined, startedMs + 10);
    observations.names.lookedUp('db.internal', 'There is no such name', startedMs + 20);

    const { status, headers, body } = await ask('/api/v1/status');
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    const at = (ms: number): string => new Date(startedMs + ms).toISOString();
    const fresh = {
      name: null,
      state: 'ready',
      layers: { configuration: 'ready', operator: 'ready', source: 'ready' },
      weight: 1,
      effectiveWeight: 1,
      backup: false,
      limit: 'unlimited',
      closed: {},
      meanFirstByteMs: null,
      dialFailures: 0,
      bytesToBackend: 0,
      bytesToClient: 0,
      lastCheck: null,
      agent: null,
      lastError: null,
      lastDialError: null,
      nextTrial: null,
      certificate: null,
    };
    expect(JSON.parse(body)).toEqual({
      version: '1.2.3',
      node: '20.19.0',
      driver: 'portable',
      driverReason: 'the test says so',
      pid: process.pid,
      started: at(0),
      uptimeSeconds: expect.any(Number),
      phase: 'serving',
      phaseSince: at(500),
      draining: false,
      configuration: {
        file: '/etc/sluice/sluice.yaml',
        hash: '0123456789abcdef',
        loaded: at(0),
        lastReloadFailed: false,
      },
      pendingRestart: [],
      workers: { uring: 1, portable: 1 },
      workerRestarts: 0,
      descriptors: { open: expect.any(Number), limit: expect.anything() },
      buffers: { bytes: 40, limit: 1_000 },
      certificates: [
        { listener: 'web', name: 'a.example', expires: '2030-03-17T17:46:40.000Z' },
        { listener: 'web', name: 'a.example', expires: '2027-01-15T08:00:00.000Z' },
        { pool: 'app', name: 'proxy.internal', expires: at(100_000) },
      ],
      listeners: {
        web: {
          bind: '0.0.0.0:8080',
          accept: 'on',
          driver: 'uring',
          active: 1,
          limit: 'unlimited',
          total: 2,
          closed: { finished: 1 },
          bytesToBackend: 0,
          bytesToClient: 0,
        },
        api: {
          bind: ['127.0.0.1:8081', 'unix:/run/api.sock'],
          accept: 'on',
          driver: 'portable',
          active: 0,
          limit: 'unlimited',
          total: 0,
          closed: {},
          bytesToBackend: 0,
          bytesToClient: 0,
        },
      },
      pools: {
        app: {
          balance: 'round-robin',
          active: 2,
          limit: 'unlimited',
          queue: 1,
          queueLimit: 0,
          longestWaitMs: 250,
          hold: null,
          names: [],
          backends: [
            {
              ...fresh,
              address: '10.0.0.1:9000',
              stateSince: at(100),
              health: 'up',
              healthSince: at(100),
              circuit: 'closed',
              circuitSince: at(100),
              active: 2,
              total: 2,
              unavailable: null,
            },
            {
              ...fresh,
              address: 'unix:/run/app.sock',
              stateSince: at(300),
              health: 'down',
              healthSince: at(600),
              lastCheck: { at: at(700), tookMs: 1.235, pass: false, detail: 'Connection refused' },
              circuit: 'open',
              circuitSince: at(900),
              nextTrial: at(3_000),
              lastError: { at: at(900), error: 'ECONNREFUSED' },
              lastDialError: { at: at(950), error: 'ETIMEDOUT' },
              active: 0,
              total: 0,
              unavailable: 'down',
            },
          ],
        },
        db: expect.objectContaining({
          names: [{ name: 'db.internal', resolved: at(10), problem: 'There is no such name' }],
          backends: [
            expect.objectContaining({
              address: '[::1]:5432',
              health: 'unknown',
              certificate: { name: 'db.internal', expires: '2025-06-15T15:06:40.500Z' },
            }),
          ],
        }),
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

  test.each(['/api/v1', '/metrics/', '/livez/x', '//livez', '/%2e%2e/metrics', '/constructor'])(
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
