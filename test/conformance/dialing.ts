import { mkdtemp, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Address } from '../../src/core/contract.ts';
import { blackHole } from './black-hole.ts';
import { echo, idle, listenOn, readAll } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

export function dialing(spec: Spec): void {
  spec('Driver tells a refused dial', async (rig) => {
    const session = await waitingSession(rig);
    rig.dial(session, await freeAddress());
    expect(await rig.event('dial-failed')).toEqual({ kind: 'dial-failed', session, why: 'connect-refused' });
    rig.close(session, 'reset');
    expect(await rig.event('ended')).toMatchObject({ session, how: 'closed', endedBy: 'proxy' });
  });

  spec('Driver tells a dial to a unix socket that is not there as refused', async (rig) => {
    const session = await waitingSession(rig);
    rig.dial(session, { path: join(tmpdir(), 'sluice-nobody-made-this') });
    expect(await rig.event('dial-failed')).toMatchObject({ why: 'connect-refused' });
    rig.close(session, 'reset');
  });

  spec('Driver tells a dial that cannot be routed as failed', async (rig) => {
    const session = await waitingSession(rig);
    // Class E is reserved (RFC 1112, 4): no system connects to it.
    rig.dial(session, { host: '255.255.255.255', port: 9 });
    expect(await rig.event('dial-failed')).toMatchObject({ why: 'connect-failed' });
    rig.close(session, 'reset');
  });

  spec('Driver dials again after a failed dial, with what the client has sent', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { session } = await rig.event('accepted');
    client.end('hello');
    await rig.event('half-closed');
    rig.dial(session, await freeAddress());
    await rig.event('dial-failed');
    rig.dial(session, await rig.backend(echo));
    expect((await readAll(client)).toString()).toBe('hello');
  });

  spec('Driver forgets a dial that is aborted, and dials another backend', async (rig) => {
    rig.relaysAtOnce = false;
    const client = await rig.client(await rig.listen());
    const { session } = await rig.event('accepted');
    client.end('hello');
    const first = await rig.backend(idle);
    rig.dial(session, first);
    rig.execute({ kind: 'abort-dial', session });
    rig.relaysAtOnce = true;
    rig.dial(session, await rig.backend(echo));
    expect((await readAll(client)).toString()).toBe('hello');
    await rig.event('ended');
    expect(rig.count('dialed')).toBe(1);
    expect(rig.count('dial-failed')).toBe(0);
  });

  spec('Driver aborts a dial that nobody answers', async (rig) => {
    const session = await waitingSession(rig);
    const hole = await blackHole();
    try {
      rig.dial(session, hole.address);
      rig.execute({ kind: 'abort-dial', session });
      rig.close(session, 'fin');
      rig.close(session, 'reset');
      expect(await rig.event('ended')).toMatchObject({ how: 'closed' });
      expect(rig.count('dial-failed') + rig.count('dialed')).toBe(0);
    } finally {
      await hole.close();
    }
  });

  spec('Driver dials an IPv6 backend', async (rig) => {
    await rig.backend(echo, { host: '::1', port: 0 });
    const client = await rig.client(await rig.listen());
    client.end('six');
    expect((await readAll(client)).toString()).toBe('six');
  });

  spec('Driver dials a unix backend', async (rig) => {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
    try {
      await rig.backend(echo, { path: join(directory, 'backend') });
      const client = await rig.client(await rig.listen());
      client.end('by path');
      expect((await readAll(client)).toString()).toBe('by path');
      await rig.event('ended');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  spec('Driver waits for relay before it reads the backend', async (rig) => {
    rig.relaysAtOnce = false;
    await rig.backend((socket) => socket.end('greeting'));
    const client = await rig.client(await rig.listen());
    const { session } = await rig.event('dialed');
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
    rig.execute({ kind: 'relay', session });
    expect((await readAll(client)).toString()).toBe('greeting');
    client.end();
    expect(await rig.event('ended')).toMatchObject({ how: 'finished', endedBy: 'backend', bytesToClient: 8 });
  });
}

async function waitingSession(rig: Rig): Promise<number> {
  await rig.client(await rig.listen());
  return (await rig.event('accepted')).session;
}

/** An address on which nobody listens: it was bound a moment ago. */
async function freeAddress(): Promise<Address> {
  const server = net.createServer();
  const address = await listenOn(server, { host: '127.0.0.1', port: 0 });
  await new Promise((resolve) => server.close(resolve));
  return address;
}
