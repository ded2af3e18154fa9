import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { drained, echo, ending, nextText, textOf } from '../support/backends.ts';
import { eventually, settled } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const scene = openScene();

describe('sluice', () => {
  it('passes on what a server says first, while the client is silent', async () => {
    const { address } = await scene.backend((socket) => socket.end('220 ready\r\n'));
    const proxy = await scene.proxy({ backends: [address] });
    const client = scene.client(proxy.port);
    expect(await ending(client)).toEqual({ text: '220 ready\r\n', reset: false });
    expect(await proxy.closed()).toMatchObject([
      { bytesToBackend: 0, bytesToClient: 11, reason: 'finished', endedBy: 'backend' },
    ]);
  });

  it('delivers all of 50 MiB to a client that starts to read after the backend has closed', async () => {
    const block = randomBytes(1 << 20);
    const expected = createHash('sha256');
    for (let sent = 0; sent < 50; sent++) expected.update(block);
    const backend = await scene.backend((socket) => {
      for (let sent = 0; sent < 50; sent++) socket.write(block);
      socket.end();
    });
    const proxy = await scene.proxy({ backends: [backend.address] });
    const client = scene.client(proxy.port);
    await once(client, 'connect');
    const toClient = `sluice_bytes_total{listener="${proxy.listener}",direction="to_client"}`;
    await eventually(async () => expect(await proxy.sluice.metric(toClient)).toBeGreaterThan(0));
    await settled(() => [...backend.open].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0));
    const found = createHash('sha256');
    client.on('data', (bytes: Buffer) => void found.update(bytes));
    expect(await drained(client)).toBe(50 << 20);
    expect(found.digest('hex')).toBe(expected.digest('hex'));
    client.end();
    expect(await proxy.closed()).toMatchObject([{ bytesToClient: 50 << 20, reason: 'finished' }]);
  });

  it('carries 100 MB both ways at once, equal by hash', async () => {
    const blocks = 100;
    const [up, down] = [randomBytes(1_000_000), randomBytes(1_000_000)];
    const arrived: Promise<string>[] = [];
    const { address } = await scene.backend((socket) => {
      arrived.push(hashOf(socket));
      send(socket, down, blocks);
    });
    const proxy = await scene.proxy({ backends: [address] });
    const client = scene.client(proxy.port);
    send(client, up, blocks);
    expect(await hashOf(client)).toBe(repeatedHash(down, blocks));
    expect(await Promise.all(arrived)).toEqual([repeatedHash(up, blocks)]);
    const bytes = 1_000_000 * blocks;
    expect(await proxy.closed()).toMatchObject([{ bytesToBackend: bytes, bytesToClient: bytes }]);
  });

  it('keeps 10,000 one-byte writes in order', async () => {
    const { address } = await scene.backend(echo);
    const proxy = await scene.proxy({ backends: [address] });
    const client = scene.client(proxy.port);
    const text = Array.from({ length: 10_000 }, (_, index) => String(index % 10)).join('');
    const whole = ending(client);
    await once(client, 'connect');
    for (const letter of text) client.write(letter);
    client.end();
    expect(await whole).toEqual({ text, reset: false });
  });

  it('survives 1,000 clients that connect and leave without a byte', async () => {
    const { address } = await scene.backend((socket) => socket.on('end', () => socket.end()).resume());
    const proxy = await scene.proxy({ backends: [address] });
    const leave = async (): Promise<void> => {
      const client = scene.client(proxy.port);
      await once(client, 'connect');
      client.destroy();
    };
    for (let left = 0; left < 1_000; left += 100) await Promise.all(Array.from({ length: 100 }, leave));
    const reasons = await proxy.ended(1_000);
    expect(Object.keys(reasons).every((reason) => ['finished', 'client-left'].includes(reason))).toBe(true);
  });

  it('counts 5 bytes to the backend and none back as exactly 5 and 0', async () => {
    const { address } = await scene.backend((socket) => socket.on('end', () => socket.end()).resume());
    const proxy = await scene.proxy({ backends: [address] });
    const client = scene.client(proxy.port);
    client.end('12345');
    await ending(client);
    expect(await proxy.closed()).toMatchObject([{ bytesToBackend: 5, bytesToClient: 0 }]);
    const metrics = await proxy.sluice.metrics();
    const bytes = (direction: string) =>
      metrics.get(`sluice_bytes_total{listener="${proxy.listener}",direction="${direction}"}`);
    expect([bytes('to_backend'), bytes('to_client')]).toEqual([5, 0]);
  });

  it('keeps 50 sessions with payloads of their own apart', async () => {
    const backends = await Promise.all([scene.backend(echo), scene.backend(echo)]);
    const proxy = await scene.proxy({ backends: backends.map(({ address }) => address) });
    const clients = Array.from({ length: 50 }, () => scene.client(proxy.port));
    const payloads = clients.map(() => randomBytes(50_000).toString('hex'));
    for (let round = 0; round < 3; round++) {
      const answers = clients.map((client, index) => {
        client.write(payloads[index] ?? '');
        return textOf(client, 100_000);
      });
      expect((await Promise.all(answers)).every((text, index) => text === payloads[index])).toBe(true);
    }
    for (const client of clients) client.end();
    expect(await Promise.all(clients.map(nextText))).toEqual(clients.map(() => ''));
    expect(await proxy.ended(50)).toEqual({ finished: 50 });
  });
});

function send(socket: Socket, block: Buffer, blocks: number): void {
  if (blocks === 0) socket.end();
  else socket.write(block, () => send(socket, block, blocks - 1));
}

async function hashOf(socket: Socket): Promise<string> {
  const hash = createHash('sha256');
  socket.on('data', (bytes: Buffer) => void hash.update(bytes));
  await once(socket, 'end');
  return hash.digest('hex');
}

function repeatedHash(block: Buffer, times: number): string {
  const hash = createHash('sha256');
  for (let round = 0; round < times; round++) hash.update(block);
  return hash.digest('hex');
}
