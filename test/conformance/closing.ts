import { once } from 'node:events';
import { expect } from 'vitest';
import { blackHole } from './black-hole.ts';
import { echo, eventually, fate, idle, inTime, readAll, readBytes } from './peers.ts';
import { fill, stalled } from './resets.ts';
import type { Spec } from './spec.ts';

export function closing(spec: Spec): void {
  for (const how of ['fin', 'reset'] as const) {
    spec(`Driver closes with ${how} before a dial`, async (rig) => {
      const client = await rig.client(await rig.listen());
      const { link } = await rig.event('accepted');
      const clientFate = fate(client);
      client.on('end', () => client.end());
      rig.close(link, how);
      expect(await clientFate).toBe(how);
      expect(await rig.event('over')).toEqual({
        kind: 'over',
        link,
        client: 'closed',
        backend: undefined,
        firstFin: undefined,
        bytesToBackend: 0,
        bytesToClient: 0,
      });
    });

    spec(`Driver closes with ${how} during a dial`, async (rig) => {
      const hole = await blackHole();
      try {
        const client = await rig.client(await rig.listen());
        const { link } = await rig.event('accepted');
        const clientFate = fate(client);
        client.on('end', () => client.end());
        rig.dial(link, hole.address);
        rig.close(link, how);
        expect(await clientFate).toBe(how);
        expect(await rig.event('over')).toMatchObject({ client: 'closed' });
        expect(rig.count('connected') + rig.count('connect-failed')).toBe(0);
      } finally {
        await hole.close();
      }
    });

    spec(`Driver closes with ${how} between connect and join`, async (rig) => {
      rig.set({ joinsAtOnce: false });
      const { client, backend } = await rig.pair();
      const { link } = await rig.event('accepted');
      const fates = [fate(client), fate(backend)];
      for (const peer of [client, backend]) peer.on('end', () => peer.end());
      rig.close(link, how);
      expect(await Promise.all(fates)).toEqual([how, how]);
      expect(await rig.event('over')).toMatchObject({ client: 'closed', backend: 'closed' });
    });

    spec(`Driver closes with ${how} while relaying`, async (rig) => {
      const { client, backend } = await rig.pair();
      const { link } = await rig.event('accepted');
      client.write('up');
      await readBytes(backend, 2);
      const fates = [fate(client), fate(backend)];
      for (const peer of [client, backend]) peer.on('end', () => peer.end());
      rig.close(link, how);
      expect(await Promise.all(fates)).toEqual([how, how]);
      expect(await rig.event('over')).toMatchObject({
        client: 'closed',
        backend: 'closed',
        bytesToBackend: 2,
      });
    });

    spec(`Driver closes a half-closed session with ${how}`, async (rig) => {
      const { client, backend } = await rig.pair();
      const { link } = await rig.event('accepted');
      client.end('last words');
      await readAll(backend);
      const clientFate = fate(client);
      rig.close(link, how);
      // Its FIN is no part of this: it must not overtake the command.
      await rig.ask({ what: 'waitingBytes', link });
      backend.on('error', () => {}).end();
      expect(await clientFate).toBe(how);
      expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 10 });
    });

    spec(`Driver closes a session with ${how} right after its client has finished`, async (rig) => {
      const { client, backend } = await rig.pair();
      const { link } = await rig.event('accepted');
      const clientFate = fate(client);
      backend.resume();
      client.end();
      // The backend is just being told of the FIN: for libuv, no time to reset it.
      await rig.event('half-closed');
      rig.close(link, how);
      await rig.ask({ what: 'held' });
      backend.end();
      expect(await clientFate).toBe(how);
      expect(await rig.event('over')).toMatchObject({ client: 'closed' });
    });
  }

  spec('Driver resets a client that does not close after its FIN', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    rig.close(link, 'fin');
    await inTime(Promise.all([once(client.resume(), 'end'), once(backend.resume(), 'end')]), 'FIN to both');
    client.write('never heard');
    expect(rig.count('over')).toBe(0);
    rig.close(link, 'reset');
    expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 0 });
    await eventually('the client learns of it', () => client.destroyed || !client.write('x'));
  });

  spec('Driver throws away what a client sends after it was sent FIN', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    backend.resume().on('end', () => backend.end());
    rig.close(link, 'fin');
    await inTime(once(client.resume(), 'end'), 'FIN');
    client.end(Buffer.alloc(8 * 1024 * 1024));
    expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 0 });
  });

  spec('Driver resets a session whose client does not read', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    client.pause();
    const backendFate = fate(backend);
    fill(backend);
    await stalled(() => rig.bytesToClient);
    rig.close(link, 'reset');
    expect(await backendFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToClient: rig.bytesToClient });
  });

  spec('Driver sends FIN to a client whose backend does not read, and hears it leave', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    backend.pause();
    fill(client);
    await stalled(() => rig.bytesToBackend);
    client.resume().on('end', () => client.destroy());
    rig.close(link, 'fin');
    expect(await rig.event('closed')).toMatchObject({ link, end: 'closed' });
    // What the backend has still to get keeps its link open, for as long as the core lets it.
    rig.resetBackend(link);
    expect(await rig.event('over')).toMatchObject({ client: 'closed', backend: 'closed' });
  });

  spec('Driver resets a session that it has just sent FIN', async (rig) => {
    const { client, backend } = await rig.pair();
    const { link } = await rig.event('accepted');
    const fates = [fate(client), fate(backend)];
    rig.close(link, 'fin');
    rig.close(link, 'reset');
    expect(await rig.event('over')).toMatchObject({ client: 'closed' });
    await Promise.all(fates);
  });

  spec('Driver takes a second close and commands for sessions that are over', async (rig) => {
    await rig.backend(echo);
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    // RST right behind bytes, as behind the tickets of TLS, is FIN to libuv before Node 26.
    client.write('x');
    await readBytes(client, 1);
    const clientFate = fate(client);
    rig.close(link, 'reset');
    rig.close(link, 'reset');
    rig.close(link, 'fin');
    await rig.event('over');
    rig.close(link, 'reset');
    rig.join(link);
    rig.resetBackend(link);
    if (rig.target !== undefined) rig.dial(link, rig.target);
    expect(await rig.ask({ what: 'lastByteMs', link })).toBeLessThanOrEqual(rig.now());
    expect(await clientFate).toBe('reset');
  });

  spec('Driver resets every session and tells nothing more as it closes', async (rig) => {
    await rig.backend(idle);
    const address = await rig.listen();
    const clients = await Promise.all(Array.from({ length: 10 }, () => rig.client(address)));
    await rig.until('10 sessions relaying', () => rig.count('connected') === 10);
    const fates = clients.map(fate);
    await rig.closeDriver();
    expect(new Set(await Promise.all(fates))).toEqual(new Set(['reset']));
    expect(rig.count('over')).toBe(0);
  });

  spec('Driver calls for the deadline once, not before its time', async (rig) => {
    const dueMs = rig.now() + 20;
    rig.wakeAt(dueMs);
    await rig.until('the deadline', () => rig.deadlinesMs.length > 0);
    expect(rig.deadlinesMs[0]).toBeGreaterThanOrEqual(dueMs);
    expect(rig.deadlinesMs.length).toBe(1);
  });

  spec('Driver replaces the deadline by a later call', async (rig) => {
    const nowMs = rig.now();
    const dueMs = nowMs + 30;
    rig.wakeAt(nowMs + 1, undefined, nowMs + 2 ** 40, dueMs);
    await rig.until('the deadline', () => rig.deadlinesMs.length > 0);
    expect(rig.deadlinesMs[0]).toBeGreaterThanOrEqual(dueMs);
    expect(rig.deadlinesMs.length).toBe(1);
  });
}
