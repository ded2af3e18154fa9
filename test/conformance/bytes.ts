import { createHash, type Hash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'vitest';
import { echo, fate, inTime, readAll, readBytes } from './peers.ts';
import { stalled } from './resets.ts';
import type { Spec } from './spec.ts';

export function bytes(spec: Spec): void {
  spec('Driver carries 64 MB both ways at once', async (rig) => {
    const { client, backend } = await rig.pair();
    const sums = await Promise.all([
      writeHashed(client, 64),
      readHashed(backend),
      writeHashed(backend, 64),
      readHashed(client),
    ]);
    expect(sums[1]).toBe(sums[0]);
    expect(sums[3]).toBe(sums[2]);
    const ended = await rig.event('over');
    expect(ended).toMatchObject({
      client: 'finished',
      backend: 'finished',
      bytesToBackend: 64 * MiB,
      bytesToClient: 64 * MiB,
    });
    expect([rig.bytesToBackend, rig.bytesToClient]).toEqual([64 * MiB, 64 * MiB]);
  });

  spec('Driver carries 10,000 writes of one byte', async (rig) => {
    const { client, backend } = await rig.pair();
    const received = readAll(backend);
    for (let i = 0; i < 10_000; i++) {
      client.write(Buffer.of(i % 251));
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    client.end();
    const bytes = await received;
    expect(bytes.length).toBe(10_000);
    expect(bytes.every((byte, i) => byte === i % 251)).toBe(true);
    backend.end();
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 10_000, bytesToClient: 0 });
  });

  spec('Driver keeps 50 concurrent sessions apart', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen();
    const payloads = Array.from({ length: 50 }, (_, i) => Buffer.alloc(100_000 + i, i));
    const echoes = await Promise.all(
      payloads.map(async (payload) => {
        const client = await rig.client(address);
        client.end(payload);
        return readAll(client);
      }),
    );
    for (const [i, payload] of payloads.entries()) expect(echoes[i]?.equals(payload)).toBe(true);
  });

  spec("Driver tells a backend's first byte once, and not what clients say", async (rig) => {
    const { client, backend } = await rig.pair();
    client.write('hello');
    await readBytes(backend, 5);
    expect(rig.count('first-byte')).toBe(0);
    for (const word of ['well', 'come']) {
      backend.write(word);
      await readBytes(client, 4);
    }
    expect(rig.count('first-byte')).toBe(1);
    client.write('bye');
    await readBytes(backend, 3);
    expect(rig.count('first-byte')).toBe(1);
  });

  spec('Driver lets the server speak first', async (rig) => {
    await rig.backend((socket) => socket.write('220 ready'));
    const client = await rig.client(await rig.listen());
    expect(await readBytes(client, 9)).toBe('220 ready');
  });

  spec('Driver counts 5 bytes up and 0 down as exactly that', async (rig) => {
    const { client, backend } = await rig.pair();
    client.end('hello');
    expect((await readAll(backend)).toString()).toBe('hello');
    backend.end();
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      firstFin: 'client',
      bytesToBackend: 5,
      bytesToClient: 0,
    });
    expect([rig.bytesToBackend, rig.bytesToClient]).toEqual([5, 0]);
  });

  spec('Driver delivers what the client sent before its backend was dialed, once', async (rig) => {
    const address = await rig.listen();
    const client = await rig.client(address);
    const { link } = await rig.event('accepted');
    client.write('early, ');
    await rig.backend(echo);
    if (rig.target !== undefined) rig.dial(link, rig.target);
    client.end('late');
    expect((await readAll(client)).toString()).toBe('early, late');
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 11, bytesToClient: 11 });
  });

  spec('Driver holds a bounded part of what a client sends before its backend takes it', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    const payload = randomBytes(16 * MiB);
    // One big write would count as nothing until all of it is taken.
    client.write(payload.subarray(0, 1024));
    client.end(payload.subarray(1024));
    await stalled(() => client.bytesWritten - client.writableLength);
    // Had it read all, the FIN would have been seen too.
    expect(rig.count('half-closed')).toBe(0);
    await rig.backend(echo);
    const sum = readHashed(client);
    if (rig.target !== undefined) rig.dial(link, rig.target);
    expect(await sum).toBe(createHash('sha1').update(payload).digest('hex'));
  });

  spec(
    'Driver delivers everything of a backend that sends 50 MB and closes while the client does not read',
    async (rig) => {
      const payload = randomBytes(50 * MiB);
      await rig.backend((socket) => {
        socket.resume();
        socket.end(payload);
      });
      const client = await rig.client(await rig.listen());
      client.pause();
      await rig.event('connected');
      const sum = readHashed(client);
      expect(await sum).toBe(createHash('sha1').update(payload).digest('hex'));
      client.end();
      expect(await rig.event('over')).toMatchObject({
        client: 'finished',
        backend: 'finished',
        firstFin: 'backend',
      });
    },
  );

  spec('Driver serves 1,000 clients that connect and leave without a byte', async (rig) => {
    await rig.backend((socket) => {
      socket.resume();
      socket.on('end', () => socket.end());
    });
    const address = await rig.listen();
    for (let batch = 0; batch < 20; batch++) {
      const clients = await Promise.all(Array.from({ length: 50 }, () => rig.client(address)));
      await Promise.all(
        clients.map((client) => {
          client.end();
          return fate(client);
        }),
      );
    }
    await rig.until('1,000 sessions ended', () => rig.count('over') === 1_000);
    expect([rig.bytesToBackend, rig.bytesToClient]).toEqual([0, 0]);
  });

  spec('Driver tells when a byte last came from either side', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    const stamps: number[] = [];
    for (const [from, to] of [
      [client, backend],
      [backend, client],
    ] as const) {
      const beforeMs = rig.now();
      from.write('x');
      await readBytes(to, 1);
      const lastMs = await rig.ask<number>({ what: 'lastByteMs', link });
      expect(lastMs).toBeGreaterThanOrEqual(beforeMs);
      expect(lastMs).toBeLessThanOrEqual(rig.now());
      stamps.push(lastMs);
    }
    expect(await rig.ask({ what: 'lastByteMs', link })).toBe(stamps[1]);
  });
}

const MiB = 1024 * 1024;

async function writeHashed(socket: Socket, mebibytes: number): Promise<string> {
  const hash = createHash('sha1');
  for (let i = 0; i < mebibytes; i++) {
    const chunk = randomBytes(MiB);
    hash.update(chunk);
    if (!socket.write(chunk)) await inTime(once(socket, 'drain'), 'drain');
  }
  socket.end();
  return hash.digest('hex');
}

async function readHashed(socket: Socket): Promise<string> {
  const hash: Hash = createHash('sha1');
  socket.on('data', (chunk: Buffer) => hash.update(chunk)).resume();
  await inTime(once(socket, 'end'), 'FIN');
  return hash.digest('hex');
}
