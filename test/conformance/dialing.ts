import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import type { LinkId } from '../../src/core/contract.ts';
import { blackHole } from './black-hole.ts';
import { echo, idle, quiet, readAll } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

export function dialing(spec: Spec): void {
  spec('Driver tells a refused dial', async (rig) => {
    const link = await waitingLink(rig);
    rig.dial(link, { host: '127.0.0.1', port: await freePort() });
    expect(await rig.event('connect-failed')).toMatchObject({
      client: link,
      why: 'connect-refused',
      detail: 'ECONNREFUSED',
    });
    rig.close(link, 'reset');
    expect(await rig.event('over')).toMatchObject({ link, client: 'closed', backend: undefined });
  });

  spec('Driver tells a dial to a unix socket that is not there as refused', async (rig) => {
    const link = await waitingLink(rig);
    rig.dial(link, { path: join(tmpdir(), 'sluice-nobody-made-this') });
    expect(await rig.event('connect-failed')).toMatchObject({ why: 'connect-refused' });
    rig.close(link, 'reset');
  });

  spec('Driver tells a dial that cannot be routed as failed', async (rig) => {
    const link = await waitingLink(rig);
    // Class E is reserved (RFC 1112, 4): no system connects to it.
    rig.dial(link, { host: '255.255.255.255', port: 9 });
    expect(await rig.event('connect-failed')).toMatchObject({ why: 'connect-failed' });
    rig.close(link, 'reset');
  });

  spec('Driver dials again after a failed dial, with what the client has sent', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    client.end('hello');
    await rig.event('half-closed');
    rig.dial(link, { host: '127.0.0.1', port: await freePort() });
    await rig.event('connect-failed');
    rig.dial(link, await rig.backend(echo));
    expect((await readAll(client)).toString()).toBe('hello');
  });

  spec('Driver forgets a dial that is aborted, and dials another backend', async (rig) => {
    rig.set({ joinsAtOnce: false });
    const client = await rig.client(await rig.listen());
    const { link } = await rig.event('accepted');
    client.end('hello');
    const first = await rig.backend(idle);
    // Both in one turn, or the first dial might be through before it is given up.
    await rig.stall();
    rig.dial(link, first);
    rig.resetBackend(link);
    rig.resume();
    rig.set({ joinsAtOnce: true });
    rig.dial(link, await rig.backend(echo));
    expect((await readAll(client)).toString()).toBe('hello');
    await rig.event('over');
    expect(rig.count('connected')).toBe(1);
    expect(rig.count('connect-failed')).toBe(0);
  });

  spec('Driver aborts a dial that nobody answers', async (rig) => {
    const link = await waitingLink(rig);
    const hole = await blackHole();
    try {
      rig.dial(link, hole.address);
      rig.resetBackend(link);
      rig.close(link, 'fin');
      rig.close(link, 'reset');
      expect(await rig.event('over')).toMatchObject({ client: 'closed' });
      expect(rig.count('connect-failed') + rig.count('connected')).toBe(0);
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
      await rig.event('over');
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  spec('Driver waits for join before it reads the backend', async (rig) => {
    rig.set({ joinsAtOnce: false });
    await rig.backend((socket) => socket.end('greeting'));
    const client = await rig.client(await rig.listen());
    const { client: link = -1 } = await rig.event('connected');
    await quiet(rig);
    rig.join(link);
    expect((await readAll(client)).toString()).toBe('greeting');
    client.end();
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      firstFin: 'backend',
      bytesToClient: 8,
    });
  });
}

async function waitingLink(rig: Rig): Promise<LinkId> {
  await rig.client(await rig.listen());
  return (await rig.event('accepted')).link;
}
