import type net from 'node:net';
import { expect } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import type { LinkId } from '../../src/core/contract.ts';
import { fate, readAll, readBytes } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

const header = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n');
const text = header.toString();

export function first(spec: Spec): void {
  spec('Driver sends first bytes of ours although the client is silent', async (rig) => {
    const arrived = await arrival(rig);
    const greeted: Promise<string>[] = [];
    const target = await rig.backend((socket) => {
      const header = readBytes(socket, text.length);
      greeted.push(header);
      void header.then(() => socket.end('220 ready'));
    });
    rig.dial(arrived.link, target, { first: header });
    expect((await readAll(arrived.client)).toString()).toBe('220 ready');
    expect(await Promise.all(greeted)).toEqual([text]);
    arrived.client.end();
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 0, bytesToClient: 9 });
    expect(rig.bytesToBackend).toBe(0);
  });

  spec('Driver sends first bytes of ours and what is held in one write', async (rig) => {
    const arrived = await arrival(rig);
    arrived.client.write('hello');
    await rig.event('received');
    const firstReads: Buffer[] = [];
    const target = await rig.backend((socket) => {
      socket.once('data', (chunk: Buffer) => {
        firstReads.push(chunk);
        socket.end('bye');
      });
    });
    rig.dial(arrived.link, target, { first: header });
    expect((await readAll(arrived.client)).toString()).toBe('bye');
    expect(Buffer.concat(firstReads).toString()).toBe(`${text}hello`);
    arrived.client.end();
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 5, bytesToClient: 3 });
    expect(rig.bytesToBackend).toBe(5);
  });

  spec('Driver sends first bytes of ours ahead of the FIN of a client that has sent nothing', async (rig) => {
    const arrived = await arrival(rig);
    arrived.client.end();
    await rig.event('half-closed');
    const heard: Promise<Buffer>[] = [];
    const target = await rig.backend((socket) => {
      heard.push(readAll(socket));
      socket.on('end', () => socket.end());
    });
    rig.dial(arrived.link, target, { first: header });
    await readAll(arrived.client);
    expect(Buffer.concat(await Promise.all(heard)).toString()).toBe(text);
    expect(await rig.event('over')).toMatchObject({
      client: 'finished',
      backend: 'finished',
      bytesToBackend: 0,
    });
  });

  spec('Driver sends no first bytes but those of the dial that succeeded', async (rig) => {
    const arrived = await arrival(rig);
    arrived.client.write('hello');
    await rig.event('received');
    const nobody = { host: '127.0.0.1', port: await freePort() };
    rig.dial(arrived.link, nobody, { first: Buffer.from('first ') });
    await rig.event('connect-failed');
    rig.set({ joinsAtOnce: false });
    const lost = await rig.backend((socket) => socket.resume());
    rig.dial(arrived.link, lost, { first: Buffer.from('second ') });
    await rig.event('connected');
    rig.resetBackend(arrived.link);
    rig.set({ joinsAtOnce: true });
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(arrived.link, target, { first: Buffer.from('third ') });
    arrived.client.end();
    expect((await readAll(arrived.client)).toString()).toBe('third hello');
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 5, bytesToClient: 11 });
  });

  spec('Driver sends no first bytes where a dial without one follows', async (rig) => {
    const arrived = await arrival(rig);
    rig.set({ joinsAtOnce: false });
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(arrived.link, target, { first: header });
    await rig.event('connected');
    rig.resetBackend(arrived.link);
    rig.set({ joinsAtOnce: true });
    rig.dial(arrived.link, target);
    arrived.client.end('hello');
    expect((await readAll(arrived.client)).toString()).toBe('hello');
  });

  spec('Driver delivers 4 MiB behind first bytes of ours, in order', async (rig) => {
    const arrived = await arrival(rig);
    const payload = Buffer.alloc(4 * 1024 * 1024, 'abcdefg');
    arrived.client.end(payload);
    await rig.event('received');
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(arrived.link, target, { first: header });
    const echoed = await readAll(arrived.client);
    expect(echoed.equals(Buffer.concat([header, payload]))).toBe(true);
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: payload.length });
  });

  spec('Driver closes with reset before first bytes of ours went out', async (rig) => {
    const arrived = await arrival(rig);
    rig.set({ joinsAtOnce: false });
    const target = await rig.backend((socket) => socket.resume());
    rig.dial(arrived.link, target, { first: header });
    await rig.event('connected');
    const clientFate = fate(arrived.client);
    rig.close(arrived.link, 'reset');
    expect(await clientFate).toBe('reset');
    expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 0 });
  });
}

/** A client whose first bytes are shown, so that a test can wait until they are held. */
async function arrival(rig: Rig): Promise<{ readonly client: net.Socket; readonly link: LinkId }> {
  rig.set({ inspectsAccepted: true });
  const client = await rig.client(await rig.listen());
  const { link } = await rig.event('accepted');
  return { client, link };
}
