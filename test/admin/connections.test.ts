import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Address } from '../../src/core/contract.ts';
import { eventually } from '../support/eventually.ts';
import { startAdmin } from './fixture.ts';

const many = 200;
const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

/** A connection that has sent this; `from` is where it comes from. */
async function client(address: Address, sent = '', from?: string): Promise<Socket> {
  const local = from === undefined ? {} : { localAddress: from };
  const socket = connect({ ...address, ...local });
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  socket.write(sent);
  return socket;
}

async function crowd(address: Address, sent: string, from?: string): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let count = 0; count < many; count++) sockets.push((await client(address, sent, from)).resume());
  return sockets;
}

function addressKinds(): readonly (readonly [string, Address])[] {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-admin-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return [
    ['TCP', { host: '127.0.0.1', port: 0 }],
    ['a unix socket', { path: join(folder, 'a.sock') }],
  ];
}

describe('AdminServer', () => {
  test.each([
    ['say nothing', ''],
    ['begin a request line', 'GET /me'],
    ['send no end of headers', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX: y\r\n'],
    ['send half a body', 'POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nabc'],
    ['were answered and stay', get('/livez')],
  ])('answers probes beside many connections that %s', async (_, sent) => {
    for (const [kind, bind] of addressKinds()) {
      const { address, ask } = await startAdmin({ bind });
      const sockets = await crowd(address, sent);
      expect((await ask('/readyz')).status, kind).toBe(200);
      await eventually(() => expect(sockets.filter(({ closed }) => !closed).length).toBeLessThanOrEqual(64));
    }
  });

  test('answers probes beside many connections whose reload is under way', async () => {
    const { address, ask, source } = await startAdmin();
    source.reloaded = () => new Promise(() => {});
    await crowd(address, 'POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\n\r\n');
    expect((await ask('/readyz')).status).toBe(200);
  });

  test('answers probes beside many that do not read their metrics, and holds few of these', async () => {
    const { address, ask, metrics } = await startAdmin();
    const long = 'x'.repeat(16 * 1024 * 1024);
    let made = 0;
    metrics.text = () => {
      made++;
      return Promise.resolve(long);
    };
    const sockets = await Promise.all(Array.from({ length: 8 }, () => client(address, get('/metrics'))));
    for (const socket of sockets) socket.pause();
    await eventually(() => expect(made).toBe(8));
    await eventually(() => expect(sockets.filter(isCut).length).toBeGreaterThanOrEqual(4));
    expect((await ask('/readyz')).status).toBe(200);
  });

  test('makes one answer at a time for a client that asks for many at once', async () => {
    const { address, metrics } = await startAdmin();
    let made = 0;
    const release: (() => void)[] = [];
    metrics.text = () => {
      made++;
      return new Promise((resolve) => release.push(() => resolve('few')));
    };
    const socket = await client(address, get('/metrics').repeat(3));
    for (let turn = 1; turn <= 3; turn++) {
      await eventually(() => expect(release.length).toBe(turn));
      expect(made).toBe(turn);
      release[turn - 1]?.();
      const [bytes]: Buffer[] = await once(socket, 'data');
      expect(bytes?.toString()).toContain('200 OK');
    }
    const greedy = await client(address, get('/metrics').repeat(100));
    await once(greedy.resume(), 'close');
    expect(made).toBeLessThanOrEqual(4);
  });

  test('lets a crowd of one address drive out nobody of another', async () => {
    const { address } = await startAdmin();
    const others = await Promise.all(
      ['127.0.0.2', '127.0.0.3'].map(async (from) => {
        const socket = await client(address, get('/livez'), from);
        await once(socket, 'data');
        return socket;
      }),
    );
    await crowd(address, '', '127.0.0.4');
    for (const socket of others) {
      socket.write(get('/livez'));
      const [bytes]: Buffer[] = await once(socket, 'data');
      expect(bytes?.toString()).toContain('200 OK');
    }
  });
});

/** Who does not read learns of its end by writing. */
function isCut(socket: Socket): boolean {
  socket.write('x');
  return socket.destroyed;
}
