import { createServer } from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ending, named, nextText, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 1 });

describe('health checks', () => {
  it('that pass and fail in turn change nothing', async () => {
    let checks = 0;
    const backend = await httpBackend(() => (checks++ % 2 === 0 ? 200 : 503));
    const proxy = await scene.proxy({
      backends: [backend],
      pool: { healthCheck: { type: 'http', path: '/healthz', interval: '20ms', rise: 2, fall: 3 } },
    });
    const results = `sluice_backend_health_checks_total{pool="${proxy.pool}",backend="${backend}",result=`;
    await eventually(async () => {
      const metrics = await proxy.sluice.metrics();
      expect(metrics.get(`${results}"pass"}`)).toBeGreaterThan(8);
      expect(metrics.get(`${results}"fail"}`)).toBeGreaterThan(8);
    });
    await eventually(() => expect(transitions(proxy)).toEqual(['backend up']));
    expect((await proxy.backend()).health).toBe('up');
  });

  it('take a backend out after fall failures and back after rise passes', async () => {
    let status = 200;
    const backend = await httpBackend(() => status);
    const proxy = await scene.proxy({
      backends: [backend],
      pool: { healthCheck: { type: 'http', interval: '20ms', rise: 2, fall: 3, expectStatus: [200] } },
    });
    await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
    status = 404;
    await eventually(async () =>
      expect(await proxy.backend()).toMatchObject({ health: 'down', unavailable: 'down' }),
    );
    const up = `sluice_backend_up{pool="${proxy.pool}",backend="${backend}"}`;
    expect(await proxy.sluice.metric(up)).toBe(0);
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'no-backend' }]);
    status = 200;
    await eventually(async () => expect((await proxy.backend()).unavailable).toBeNull());
    expect(await proxy.sluice.metric(up)).toBe(1);
    await eventually(() => expect(transitions(proxy)).toEqual(['backend up', 'backend down', 'backend up']));
  });

  it('understand a banner that comes in one-byte writes', async () => {
    const backend = await scene.backend((socket) => writeSingly(socket, '220 ready\r\n'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      pool: { healthCheck: { type: 'send-expect', expect: '220 ', interval: '50ms' } },
    });
    await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
    expect(await textOf(scene.client(proxy.port), 11)).toBe('220 ready\r\n');
  });

  it('close the sessions of a backend that is down, or keep them, as the pool says', async () => {
    let status = 200;
    const health = await httpBackend(() => status);
    const backend = await scene.backend(named('ok'));
    const healthCheck = {
      type: 'http',
      port: Number(health.split(':')[1]),
      interval: '20ms',
      rise: 1,
      fall: 2,
      expectStatus: [200],
    };
    for (const whenBackendDown of ['keep', 'close']) {
      status = 200;
      const proxy = await scene.proxy({
        backends: [backend.address],
        pool: { healthCheck, whenBackendDown },
      });
      await eventually(async () => expect((await proxy.backend()).health).toBe('up'));
      const client = scene.client(proxy.port);
      expect(await textOf(client, 2)).toBe('ok');
      status = 500;
      await eventually(async () => expect((await proxy.backend()).health).toBe('down'));
      if (whenBackendDown === 'keep') {
        client.end();
        expect(await nextText(client)).toBe('');
        expect(await proxy.closed()).toMatchObject([{ reason: 'finished' }]);
      } else {
        expect((await ending(client)).reset).toBe(true);
        expect(await proxy.closed()).toMatchObject([{ reason: 'backend-down', endedBy: 'proxy' }]);
      }
    }
  });

  it('are ignored where fewer than panicThreshold are up', async () => {
    const [one, two] = [await scene.backend(named('1')), await scene.backend(named('2'))];
    const down = await httpBackend(() => 500);
    const proxy = await scene.proxy({
      backends: [one.address, two.address],
      pool: {
        panicThreshold: '60%',
        healthCheck: { type: 'http', port: Number(down.split(':')[1]), interval: '20ms' },
      },
    });
    await eventually(async () =>
      expect((await proxy.backends()).map(({ health }) => health)).toEqual(['down', 'down']),
    );
    const answers = [await textOf(scene.client(proxy.port), 1), await textOf(scene.client(proxy.port), 1)];
    expect(answers.sort()).toEqual(['1', '2']);
  });
});

/** What the log says of the backends' health since this proxy runs. */
function transitions({ sluice, pool }: Proxied): readonly (string | undefined)[] {
  return sluice.lines
    .filter((line) => line['pool'] === pool && /^backend /.test(line.msg ?? ''))
    .map(({ msg }) => msg);
}

/** Answers each request with the status that is asked for then; gives its address. */
async function httpBackend(status: () => number): Promise<string> {
  const http = createServer({ keepAlive: false }, (_, response) => {
    response.writeHead(status(), { connection: 'close' }).end();
  });
  const { address } = await scene.backend((socket) => http.emit('connection', socket));
  return address;
}

function writeSingly(socket: Socket, text: string): void {
  if (text !== '') socket.write(text.slice(0, 1), () => setImmediate(writeSingly, socket, text.slice(1)));
  else socket.on('end', () => socket.end()).resume();
}
