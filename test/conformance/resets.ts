import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { expect } from 'vitest';
import { seeded } from '../support/seeded.ts';
import { eventually, fate, idle, inTime, readBytes } from './peers.ts';
import type { Spec } from './spec.ts';

export function resets(spec: Spec): void {
  spec('Driver passes on a reset of the client as a reset', async (rig) => {
    const { client, backend } = await rig.pair();
    client.write('some');
    await readBytes(backend, 4);
    const backendFate = fate(backend);
    client.resetAndDestroy();
    expect(await backendFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({
      client: 'reset-by-peer',
      bytesToBackend: 4,
    });
  });

  spec('Driver passes on a reset of the backend as a reset', async (rig) => {
    const { client, backend } = await rig.pair();
    backend.write('some');
    await readBytes(client, 4);
    const clientFate = fate(client);
    backend.resetAndDestroy();
    expect(await clientFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({
      client: 'reset-with-partner',
      backend: 'reset-by-peer',
      bytesToClient: 4,
    });
  });

  spec('Driver ends a session whose client resets before its backend is dialed', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    client.resetAndDestroy();
    expect(await rig.event('over')).toEqual({
      kind: 'over',
      link,
      client: 'reset-by-peer',
      backend: undefined,
      firstFin: undefined,
      bytesToBackend: 0,
      bytesToClient: 0,
    });
  });

  spec('Driver ends a session whose client resets while its backend is dialed', async (rig) => {
    await rig.backend(idle);
    const address = await rig.listen();
    const { target } = rig;
    rig.target = undefined;
    rig.set({ joinsAtOnce: false });
    const client = await rig.client(address);
    const { link } = await rig.event('accepted');
    client.resetAndDestroy();
    if (target !== undefined) rig.dial(link, target);
    expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer' });
  });

  spec('Driver resets the side that has finished sending too', async (rig) => {
    const { client, backend } = await rig.pair();
    client.end('hello');
    await inTime(once(backend.resume(), 'end'), 'FIN');
    const clientFate = fate(client);
    backend.resetAndDestroy();
    expect(await clientFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({ client: 'reset-with-partner', backend: 'reset-by-peer' });
  });

  spec(
    'Driver passes on a reset right behind an answer to a client that has finished sending',
    async (rig) => {
      // In Node before 24 about each second one looks like FIN, to the client here too.
      for (let session = 1; session <= 20; session++) {
        const { client, backend } = await rig.pair();
        client.end('hello');
        await inTime(once(backend.resume(), 'end'), 'FIN');
        backend.write('some');
        backend.resetAndDestroy();
        const over = await rig.event('over');
        expect(over, `session ${session}`).toMatchObject({ backend: 'reset-by-peer', bytesToClient: 4 });
        expect(over, `session ${session}`).toMatchObject({ client: 'reset-with-partner' });
      }
    },
  );

  spec('Driver notices a stalled client that resets', async (rig) => {
    const { client, backend } = await rig.pair();
    client.pause();
    const backendFate = fate(backend);
    fill(backend);
    await stalled(() => rig.bytesToClient);
    client.resetAndDestroy();
    expect(await backendFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer' });
  });

  spec('Driver survives 1,000 sessions that are reset at a random byte', async (rig) => {
    const seed = randomInt(2 ** 31);
    const random = seeded(seed);
    await rig.backend((socket) => {
      const mostBytes = random() * 100_000;
      socket.on('data', (chunk: Buffer) => {
        if (socket.bytesRead > mostBytes && random() < 0.3) socket.resetAndDestroy();
        else socket.write(chunk);
      });
      socket.on('end', () => socket.end());
    });
    const address = await rig.listen();
    const visit = async (): Promise<void> => {
      const client = await rig.client(address);
      const over = new Promise((resolve) => client.once('close', resolve));
      const mostBytes = random() * 100_000;
      client.on('data', () => {
        if (client.bytesRead > mostBytes && random() < 0.3) client.resetAndDestroy();
      });
      client.on('end', () => client.end());
      client.write(Buffer.alloc(Math.floor(random() * 100_000)));
      const leaving = random();
      if (leaving < 0.2) client.resetAndDestroy();
      else client.end();
      await inTime(over, `end of a client (seed ${seed})`);
    };
    for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 50 }, visit));
    // Whose client had reset before it was accepted was none: it could not even be named.
    await rig.until(`every session ended (seed ${seed})`, () => rig.openLinks === 0);
  });
}

/** Writes without end, as far as the other side takes it. */
export function fill(socket: import('node:net').Socket): void {
  const chunk = Buffer.alloc(256 * 1024);
  const write = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', write);
  write();
}

/** A count that grows no more: unchanged over ten looks. The kernel takes some megabytes of each sender first. */
export async function stalled(count: () => number, withinMs?: number): Promise<void> {
  let last = -1;
  let same = 0;
  const isStopped = (): boolean => {
    same = count() === last && last > 0 ? same + 1 : 0;
    last = count();
    return same === 10;
  };
  await eventually('the sender is stopped', isStopped, withinMs);
}
