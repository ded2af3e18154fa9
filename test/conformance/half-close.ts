import { once } from 'node:events';
import { expect } from 'vitest';
import { fate, inTime, readAll, readBytes } from './peers.ts';
import type { Spec } from './spec.ts';

export function halfClose(spec: Spec): void {
  spec('Driver passes on the answer to a client that has finished sending', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    client.end('question');
    expect((await readAll(backend)).toString()).toBe('question');
    expect(await rig.event('half-closed')).toMatchObject({ link, heldBytes: 0 });
    backend.write('first half, ');
    expect(await readBytes(client, 12)).toBe('first half, ');
    backend.end('second half');
    expect(await readBytes(client, 11)).toBe('second half');
    expect(await fate(client)).toBe('fin');
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      firstFin: 'client',
      bytesToBackend: 8,
      bytesToClient: 23,
    });
    expect(rig.count('half-closed')).toBe(0);
  });

  spec('Driver passes on what a client sends after its backend has finished', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    backend.end('greeting');
    expect((await readAll(client)).toString()).toBe('greeting');
    expect(await rig.event('half-closed')).toMatchObject({ client: link, heldBytes: 0 });
    client.write('still ');
    expect(await readBytes(backend, 6)).toBe('still ');
    client.end('here');
    expect(await readBytes(backend, 4)).toBe('here');
    expect(await fate(backend)).toBe('fin');
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      firstFin: 'backend',
    });
  });

  spec(
    'Driver tells of a client that finishes before its backend is dialed, and what it sent',
    async (rig) => {
      const client = await rig.client(await rig.listen());
      const { link } = await rig.event('accepted');
      client.end('hello');
      expect(await rig.event('half-closed')).toMatchObject({ link, heldBytes: 5 });
      const received = new Promise<Buffer>((resolve) => {
        void rig.backend((socket) => {
          void readAll(socket).then((bytes) => {
            socket.end('bye');
            resolve(bytes);
          });
        });
      });
      await inTime(
        (async () => {
          while (rig.target === undefined) await new Promise(setImmediate);
          rig.dial(link, rig.target);
        })(),
        'backend',
      );
      expect((await received).toString()).toBe('hello');
      expect((await readAll(client)).toString()).toBe('bye');
      expect(await rig.event('over')).toMatchObject({
        client: 'finished',
        backend: 'finished',
        firstFin: 'client',
        bytesToBackend: 5,
      });
    },
  );

  spec('Driver keeps a half-closed session open for as long as the other side takes', async (rig) => {
    const { client, backend } = await rig.pair();
    client.end();
    await inTime(once(backend.resume(), 'end'), 'FIN');
    for (let i = 0; i < 100; i++) {
      backend.write('x');
      await readBytes(client, 1);
    }
    expect(rig.openLinks).toBe(1);
    backend.end();
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      bytesToClient: 100,
    });
  });
}
