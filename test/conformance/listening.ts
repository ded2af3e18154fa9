import { once } from 'node:events';
import { link, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { expect } from 'vitest';
import type { Address } from '../../src/core/contract.ts';
import { blackHole } from './black-hole.ts';
import { connect, echo, fate, listenOn, readAll, readBytes } from './peers.ts';
import type { Spec } from './spec.ts';

export function listening(spec: Spec): void {
  spec('Driver names the address and port of its client', async (rig) => {
    const client = await rig.client(await rig.listen());
    const { link, peer: named, listener } = await rig.event('accepted');
    expect(named).toEqual({ address: '127.0.0.1', port: client.localPort });
    expect(listener).toBe(7);
    rig.close(link, 'reset');
  });

  spec('Driver listens on IPv6', async (rig) => {
    const address = await rig.listen({ host: '::1', port: 0 });
    await rig.client(address);
    const { link, peer } = await rig.event('accepted');
    expect(peer.address).toBe('::1');
    rig.close(link, 'reset');
  });

  spec('Driver listens on every address of both families, and names IPv4 clients as IPv4', async (rig) => {
    const { port } = tcp(await rig.listen({ host: '::', port: 0 }));
    await rig.client({ host: '127.0.0.1', port });
    const { link, peer } = await rig.event('accepted');
    expect(peer.address).toBe('127.0.0.1');
    rig.close(link, 'reset');
  });

  if (linkLocal !== undefined) {
    spec('Driver keeps the zone of link-local addresses, on both sides', async (rig) => {
      const backend = await rig.backend(echo, { host: linkLocal, port: 0 });
      const address = tcp(await rig.listen({ host: linkLocal, port: 0 }));
      expect([address.host, tcp(backend).host]).toEqual([linkLocal, linkLocal]);
      const client = await rig.client(address);
      const accepted = await rig.event('accepted');
      expect(accepted.peer.address).toBe(linkLocal);
      expect(await rig.ask({ what: 'localEndpoint', link: accepted.link })).toMatchObject({
        address: linkLocal,
      });
      client.end('on the link');
      expect((await readAll(client)).toString()).toBe('on the link');
      // As a reload says it: it is the same address still.
      expect(await rig.listen(address)).toEqual(address);
    });
  }

  spec('Driver listens on a unix socket', (rig) =>
    inDirectory(async (directory) => {
      await rig.backend(echo);
      const path = join(directory, 'listener');
      const address = await rig.listen({ path });
      const client = await rig.client(address);
      expect((await rig.event('accepted')).peer).toEqual({ address: 'unix', port: 0 });
      client.end('by path');
      expect((await readAll(client)).toString()).toBe('by path');
      expect(await rig.event('over')).toMatchObject({ client: 'finished', backend: 'finished' });
      await rig.unlisten(address);
      await expect(stat(path)).rejects.toMatchObject({ code: 'ENOENT' });
    }),
  );

  spec('Driver leaves clients waiting while their address is paused, and loses none', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen(undefined, { isPaused: true });
    const clients = await Promise.all([connect(address), connect(address), connect(address)]);
    const texts = clients.map((client) => readAll(client).then(String));
    for (const client of clients) client.end('in time');
    await visit(await rig.listen());
    expect(rig.count('accepted')).toBe(1);
    await rig.listen(address);
    expect(await Promise.all(texts)).toEqual(['in time', 'in time', 'in time']);
  });

  spec('Driver pauses an address under clients that it has, and they go on', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen();
    const early = await connect(address);
    early.write('x');
    await readBytes(early, 1);
    await rig.listen(address, { isPaused: true });
    const late = await connect(address);
    late.end('late');
    early.end('early');
    expect((await readAll(early)).toString()).toBe('early');
    await visit(await rig.listen());
    expect(rig.count('accepted')).toBe(2);
    await rig.listen(address);
    expect((await readAll(late)).toString()).toBe('late');
  });

  spec('Driver serves clients of a paused address that it stops listening on', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen(undefined, { isPaused: true });
    const client = await connect(address);
    client.end('just so');
    await rig.unlisten(address);
    expect((await readAll(client)).toString()).toBe('just so');
  });

  spec('Driver closes a unix client that is to be reset', (rig) =>
    inDirectory(async (directory) => {
      const client = await rig.client(await rig.listen({ path: join(directory, 'listener') }));
      const { link } = await rig.event('accepted');
      const clientFate = fate(client);
      rig.close(link, 'reset');
      await clientFate;
      expect(await rig.event('over')).toMatchObject({ client: 'closed' });
    }),
  );

  spec('Driver takes over the unix socket of a process that has died', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'stale');
      await leaveSocketBehind(path);
      const client = await rig.client(await rig.listen({ path }));
      const { link } = await rig.event('accepted');
      rig.close(link, 'reset');
      await fate(client);
    }),
  );

  spec('Driver leaves a unix socket to the process that listens on it', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'taken');
      await rig.backend(echo, { path });
      await expect(rig.listen({ path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      (await connect({ path })).destroy();
    }),
  );

  spec('Driver leaves a unix socket to a process that hangs, and does not wait for it', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'hanging');
      const hole = await blackHole({ path });
      await expect(rig.listen({ path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      await hole.close();
    }),
  );

  spec('Driver leaves alone what another has put in the place of its unix socket', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'replaced');
      const address = await rig.listen({ path });
      await rm(path);
      const successor = await listeningServer(path);
      await rig.unlisten(address);
      (await connect({ path })).destroy();
      await new Promise((resolve) => successor.close(resolve));
    }),
  );

  spec('Driver takes no name from another when it closes', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'replaced');
      await rig.listen({ path });
      await rm(path);
      const successor = await listeningServer(path);
      await rig.closeDriver();
      (await connect({ path })).destroy();
      await new Promise((resolve) => successor.close(resolve));
    }),
  );

  spec('Driver leaves nothing but its name beside a unix socket, and not even that at the end', (rig) =>
    inDirectory(async (directory) => {
      // The longest path there may be, with the shortest name.
      const long = join(directory, 'x'.repeat(105 - directory.length - 1));
      await mkdir(long);
      for (const path of [join(directory, 'listener'), ...[...'abcdefgh'].map((name) => join(long, name))]) {
        const before = await readdir(dirname(path));
        const address = await rig.listen({ path });
        expect(await readdir(dirname(path))).toEqual([...before, basename(path)].sort());
        await rig.unlisten(address);
        expect(await readdir(dirname(path))).toEqual(before);
      }
    }),
  );

  spec('Driver leaves a file alone that is no socket', (rig) =>
    inDirectory(async (directory) => {
      const path = join(directory, 'file');
      await writeFile(path, 'precious');
      await expect(rig.listen({ path })).rejects.toMatchObject({ code: 'EADDRINUSE' });
      expect((await stat(path)).size).toBe(8);
    }),
  );

  spec('Driver rejects a port that is taken, with the code of the system', async (rig) => {
    const taken = await rig.backend(echo);
    await expect(rig.listen(taken)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  spec('Driver rejects an address that this machine does not have', async (rig) => {
    await expect(rig.listen({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' });
  });

  spec('Driver refuses clients after unlisten, and keeps the sessions that it has', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen();
    const client = await rig.client(address);
    await rig.event('accepted');
    await rig.unlisten(address);
    await expect(connect(address)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    client.end('still here');
    expect((await readAll(client)).toString()).toBe('still here');
  });

  spec('Driver still accepts who waited when it was told to unlisten', async (rig) => {
    await rig.backend(echo);
    const address = await rig.listen();
    // The kernel completes these while the driver has no turn to accept them.
    await rig.stall();
    const clients = Array.from({ length: 20 }, () => net.connect({ ...address, allowHalfOpen: true }));
    for (const client of clients) client.on('error', () => {});
    await Promise.all(clients.map((client) => once(client, 'connect')));
    const unlistened = rig.unlisten(address);
    rig.resume();
    const echoes = clients.map((client) => {
      client.end('waited');
      return readAll(client);
    });
    await unlistened;
    for (const bytes of await Promise.all(echoes)) expect(bytes.toString()).toBe('waited');
  });

  spec('Driver hands an address over to the listener that is named last', async (rig) => {
    const address = await rig.listen();
    expect(await rig.listen(address, { listener: 8 })).toEqual(address);
    await rig.client(address);
    const { link, listener } = await rig.event('accepted');
    expect(listener).toBe(8);
    rig.close(link, 'reset');
  });

  spec('Driver keeps an address that is taken up again while it is given up', async (rig) => {
    const address = await rig.listen();
    const givenUp = rig.unlisten(address);
    expect(await rig.listen(address)).toEqual(address);
    await givenUp;
    await rig.client(address);
    const { link } = await rig.event('accepted');
    rig.close(link, 'reset');
  });
}

/** One that this machine has, with its zone; undefined where it has none. */
const linkLocal = Object.entries(networkInterfaces())
  .flatMap(([zone, addresses = []]) => addresses.map(({ address }) => `${address}%${zone}`))
  .find((address) => address.startsWith('fe80:'));

function tcp(address: Address): { readonly host: string; readonly port: number } {
  if ('path' in address) throw new Error(`Expected a TCP address, found ${address.path}`);
  return address;
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-'));
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A unix socket without a listener, as a killed process leaves it: its server removes only the name that it knows. */
async function leaveSocketBehind(path: string): Promise<void> {
  const server = net.createServer();
  await listenOn(server, { path: `${path}.live` });
  await link(`${path}.live`, path);
  await new Promise((resolve) => server.close(resolve));
}

async function listeningServer(path: string): Promise<net.Server> {
  const server = net.createServer((socket) => socket.on('error', () => {}));
  await listenOn(server, { path });
  return server;
}

/** A client comes and goes, so that the driver has seen all that came before it. */
async function visit(address: Address): Promise<void> {
  const client = await connect(address);
  client.end('x');
  expect((await readAll(client)).toString()).toBe('x');
}
