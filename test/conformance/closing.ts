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
      const { session } = await rig.event('accepted');
      const clientFate = fate(client);
      client.on('end', () => client.end());
      rig.close(session, how);
      expect(await clientFate).toBe(how);
      expect(await rig.event('ended')).toEqual({
        kind: 'ended',
        session,
        how: 'closed',
        endedBy: 'proxy',
        bytesToBackend: 0,
        bytesToClient: 0,
      });
    });

    spec(`Driver closes with ${how} during a dial`, async (rig) => {
      const hole = await blackHole();
      try {
        const client = await rig.client(await rig.listen());
        const { session } = await rig.event('accepted');
        const clientFate = fate(client);
        client.on('end', () => client.end());
        rig.dial(session, hole.address);
        rig.close(session, how);
        expect(await clientFate).toBe(how);
        expect(await rig.event('ended')).toMatchObject({ how: 'closed' });
        expect(rig.count('dialed') + rig.count('dial-failed')).toBe(0);
      } finally {
        await hole.close();
      }
    });

    spec(`Driver closes with ${how} between dialed and relay`, async (rig) => {
      rig.relaysAtOnce = false;
      const { client, backend } = await rig.pair();
      const { session } = await rig.event('dialed');
      const fates = [fate(client), fate(backend)];
      client.on('end', () => client.end());
      rig.close(session, how);
      expect(await Promise.all(fates)).toEqual([how, how]);
      expect(await rig.event('ended')).toMatchObject({ how: 'closed' });
    });

    spec(`Driver closes with ${how} while relaying`, async (rig) => {
      const { client, backend } = await rig.pair();
      const { session } = await rig.event('accepted');
      client.write('up');
      await readBytes(backend, 2);
      const fates = [fate(client), fate(backend)];
      client.on('end', () => client.end());
      rig.close(session, how);
      expect(await Promise.all(fates)).toEqual([how, how]);
      expect(await rig.event('ended')).toMatchObject({ how: 'closed', endedBy: 'proxy', bytesToBackend: 2 });
    });

    spec(`Driver closes a half-closed session with ${how}`, async (rig) => {
      const { client, backend } = await rig.pair();
      const { session } = await rig.event('accepted');
      client.end('last words');
      await readAll(backend);
      const clientFate = fate(client);
      rig.close(session, how);
      expect(await clientFate).toBe(how);
      expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 10 });
    });

    spec(`Driver closes a session with ${how} right after its client has finished`, async (rig) => {
      const { client } = await rig.pair();
      const { session } = await rig.event('accepted');
      const clientFate = fate(client);
      client.end();
      // The backend is just being told of the FIN: for libuv, no time to reset it.
      await rig.event('half-closed');
      rig.close(session, how);
      expect(await clientFate).toBe(how);
      expect(await rig.event('ended')).toMatchObject({ how: 'closed' });
    });
  }

  spec('Driver resets a client that does not close after its FIN', async (rig) => {
    const { client, backend } = await rig.pair();
    const { session } = await rig.event('accepted');
    rig.close(session, 'fin');
    await inTime(Promise.all([once(client.resume(), 'end'), once(backend.resume(), 'end')]), 'FIN to both');
    client.write('never heard');
    expect(rig.count('ended')).toBe(0);
    rig.close(session, 'reset');
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
    await eventually('the client learns of it', () => client.destroyed || !client.write('x'));
  });

  spec('Driver throws away what a client sends after it was sent FIN', async (rig) => {
    const { client } = await rig.pair();
    const { session } = await rig.event('accepted');
    rig.close(session, 'fin');
    await inTime(once(client.resume(), 'end'), 'FIN');
    client.end(Buffer.alloc(8 * 1024 * 1024));
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
  });

  spec('Driver resets a session whose client does not read', async (rig) => {
    const { client, backend } = await rig.pair();
    const { session } = await rig.event('accepted');
    client.pause();
    const backendFate = fate(backend);
    fill(backend);
    await stalled(() => rig.bytesToClient);
    rig.close(session, 'reset');
    expect(await backendFate).toBe('reset');
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToClient: rig.bytesToClient });
  });

  spec('Driver sends FIN to a client whose backend does not read, and hears it leave', async (rig) => {
    const { client, backend } = await rig.pair();
    const { session } = await rig.event('accepted');
    backend.pause();
    fill(client);
    await stalled(() => rig.bytesToBackend);
    client.resume().on('end', () => client.destroy());
    rig.close(session, 'fin');
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', endedBy: 'proxy' });
  });

  spec('Driver resets a session that it has just sent FIN', async (rig) => {
    const { client, backend } = await rig.pair();
    const { session } = await rig.event('accepted');
    const fates = [fate(client), fate(backend)];
    rig.close(session, 'fin');
    rig.close(session, 'reset');
    expect(await rig.event('ended')).toMatchObject({ how: 'closed' });
    await Promise.all(fates);
  });

  spec('Driver takes a second close and commands for sessions that are over', async (rig) => {
    await rig.backend(echo);
    const client = await rig.client(await rig.listen());
    const { session } = await rig.event('accepted');
    rig.close(session, 'reset');
    rig.close(session, 'reset');
    rig.close(session, 'fin');
    await rig.event('ended');
    rig.close(session, 'reset');
    rig.execute({ kind: 'relay', session });
    rig.execute({ kind: 'abort-dial', session });
    if (rig.target !== undefined) rig.dial(session, rig.target);
    expect(rig.driver.lastByteMs(session)).toBeLessThanOrEqual(rig.now());
    await fate(client);
  });

  spec('Driver resets every session and tells nothing more as it closes', async (rig) => {
    await rig.backend(idle);
    const address = await rig.listen();
    const clients = await Promise.all(Array.from({ length: 10 }, () => rig.client(address)));
    await rig.until('10 sessions relaying', () => rig.count('dialed') === 10);
    const fates = clients.map(fate);
    rig.endsWithDriver();
    await rig.driver.close();
    expect(new Set(await Promise.all(fates))).toEqual(new Set(['reset']));
    expect(rig.count('ended')).toBe(0);
  });

  spec('Driver calls for the deadline once, not before its time', async (rig) => {
    const dueMs = rig.now() + 20;
    rig.driver.wakeAt(dueMs);
    await rig.until('the deadline', () => rig.deadlines > 0);
    expect(rig.now()).toBeGreaterThanOrEqual(dueMs);
    expect(rig.deadlines).toBe(1);
  });

  spec('Driver replaces the deadline by a later call', async (rig) => {
    rig.driver.wakeAt(rig.now() + 1);
    rig.driver.wakeAt(undefined);
    rig.driver.wakeAt(rig.now() + 2 ** 40);
    const dueMs = rig.now() + 30;
    rig.driver.wakeAt(dueMs);
    await rig.until('the deadline', () => rig.deadlines > 0);
    expect(rig.now()).toBeGreaterThanOrEqual(dueMs);
    expect(rig.deadlines).toBe(1);
  });
}
