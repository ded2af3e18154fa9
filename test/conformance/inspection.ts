import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'vitest';
import type { Address, LinkId } from '../../src/core/contract.ts';
import type { DriverCommand } from '../../src/drivers/driver.ts';
import { echo, eventually, quiet, readAll } from './peers.ts';
import { backendSlot, type Rig } from './rig.ts';
import type { Spec } from './spec.ts';

export function inspection(spec: Spec): void {
  spec('Driver shows the bytes that a client has sent before it was asked', async (rig) => {
    const { client, link } = await arrival(rig);
    client.end('hello');
    await rig.event('half-closed');
    rig.inspect(link, 0);
    expect(text(await rig.event('received'))).toBe('hello');
    expect(rig.count('received')).toBe(0);
    rig.close(link, 'reset');
  });

  spec('Driver shows all that it holds, as soon as that is more than was seen', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 0);
    client.write('ab');
    expect(text(await rig.event('received'))).toBe('ab');
    rig.inspect(link, 4);
    client.write('cd');
    await quiet(rig);
    expect(rig.count('received')).toBe(0);
    client.write('e');
    expect(text(await rig.event('received'))).toBe('abcde');
    rig.close(link, 'reset');
  });

  spec('Driver shows bytes once for each time that it is asked', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 0);
    client.write('once');
    await rig.event('received');
    client.write('again');
    await quiet(rig);
    expect(rig.count('received')).toBe(0);
    rig.inspect(link, 4);
    expect(text(await rig.event('received'))).toBe('onceagain');
    rig.close(link, 'reset');
  });

  spec('Driver shows what is due before it tells of the FIN behind it', async (rig) => {
    const order: string[] = [];
    rig.onEvent = ({ kind }) => order.push(kind);
    rig.set({ inspectsAccepted: true });
    const { client, link } = await arrival(rig);
    client.end('all');
    expect(await rig.event('half-closed')).toMatchObject({ link, heldBytes: 3 });
    expect(order).toEqual(['accepted', 'received', 'half-closed']);
    rig.close(link, 'reset');
  });

  spec('Driver shows what it was asked for just before a FIN came', async (rig) => {
    const address = await rig.listen();
    rig.set({ inspectsAccepted: true });
    for (let attempt = 0; attempt < 20; attempt++) {
      const client = await rig.client(address);
      client.write('all');
      const { link } = await rig.event('received');
      const order: string[] = [];
      rig.onEvent = ({ kind }) => order.push(kind);
      // The driver's thread is done with the first bytes, and finds the FIN right behind the question.
      await rig.ask({ what: 'waitingBytes', link });
      rig.inspect(link, 0);
      await rig.stall();
      client.end();
      await once(client, 'finish');
      rig.resume();
      await rig.event('half-closed');
      await rig.event('received');
      expect(order).toEqual(['received', 'half-closed']);
      rig.close(link, 'reset');
      await rig.event('over');
    }
  });

  spec('Driver tells of a FIN that comes instead of what was asked for', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 5);
    client.end('short');
    expect(await rig.event('half-closed')).toMatchObject({ heldBytes: 5 });
    expect(rig.count('received')).toBe(0);
    rig.close(link, 'reset');
  });

  spec('Driver shows 20,000 bytes that come one at a time, and delivers them untouched', async (rig) => {
    const payload = randomBytes(20_000);
    const { client, link } = await arrival(rig);
    const target = await echoBackend(rig);
    let seen = 0;
    rig.onEvent = (event) => {
      if (event.kind !== 'received') return;
      expect(event.bytes.length).toBeGreaterThan(seen);
      seen = event.bytes.length;
      if (seen < payload.length) rig.inspect(link, seen);
    };
    rig.inspect(link, 0);
    for (let i = 0; i < payload.length; i++) {
      client.write(payload.subarray(i, i + 1));
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    await rig.until('all bytes were seen', () => seen === payload.length);
    rig.dial(link, target);
    client.end();
    expect((await readAll(client)).equals(payload)).toBe(true);
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 20_000, bytesToClient: 20_000 });
  });

  spec('Driver holds 64 KiB for inspection, and not much more', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 64 * 1024 - 1);
    const payload = randomBytes(8 * 1024 * 1024);
    client.end(payload);
    const { bytes } = await rig.event('received');
    expect(bytes.length).toBeLessThan(256 * 1024);
    expect(payload.subarray(0, bytes.length).equals(bytes)).toBe(true);
    await quiet(rig);
    rig.inspect(link, bytes.length);
    await quiet(rig);
    expect(rig.count('half-closed')).toBe(0);
    rig.dial(link, await echoBackend(rig));
    expect((await readAll(client)).equals(payload)).toBe(true);
  });

  spec('Driver withdraws what is due when a join or a close follows at once', async (rig) => {
    const target = await echoBackend(rig);
    rig.target = undefined;
    rig.set({ joinsAtOnce: false });
    const address = await rig.listen();
    for (const next of ['join', 'reset', 'fin'] as const) {
      const client = await rig.client(address);
      const { link } = await rig.event('accepted');
      client.end('hello');
      await rig.event('half-closed');
      rig.dial(link, target);
      await rig.event('connected');
      const command: DriverCommand =
        next === 'join'
          ? { kind: 'join', client: link, backend: -1, slot: backendSlot, first: undefined }
          : { kind: 'close', link, how: next };
      rig.execute({ kind: 'inspect', link, beyond: 0 }, command);
      client.resume();
      await rig.event('over');
    }
    expect(rig.count('received')).toBe(0);
  });

  spec('Driver does not deliver what was discarded', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 0);
    client.write('header');
    await rig.event('received');
    rig.discard(link, 6);
    rig.inspect(link, 0);
    client.write('pay');
    expect(text(await rig.event('received'))).toBe('pay');
    rig.discard(link, 1);
    client.end('load');
    expect(await rig.event('half-closed')).toMatchObject({ heldBytes: 6 });
    rig.dial(link, await echoBackend(rig));
    expect((await readAll(client)).toString()).toBe('ayload');
    expect(await rig.event('over')).toMatchObject({ bytesToBackend: 6, bytesToClient: 6 });
  });

  spec('Driver shows what is left after a discard inside the same event', async (rig) => {
    const { client, link } = await arrival(rig);
    const seen: string[] = [];
    rig.set({ discards: 2 });
    rig.onEvent = (event) => {
      if (event.kind === 'received') seen.push(text(event));
    };
    rig.inspect(link, 0);
    client.write('abcdef');
    await rig.until('nothing is left', () => seen.length === 3);
    expect(seen).toEqual(['abcdef', 'cdef', 'ef']);
    rig.close(link, 'reset');
  });

  spec('Driver reads on when a discard makes room', async (rig) => {
    const { client, link } = await arrival(rig);
    const payload = randomBytes(4 * 1024 * 1024);
    client.end(payload);
    const passed: Uint8Array[] = [];
    for (let total = 0; total < payload.length; ) {
      const leftBytes = payload.length - total;
      rig.inspect(link, Math.min(leftBytes, 64 * 1024) - 1);
      const { bytes } = await rig.event('received');
      passed.push(bytes);
      total += bytes.length;
      // By now the driver has stopped reading.
      rig.discard(link, bytes.length);
    }
    expect(Buffer.concat(passed).equals(payload)).toBe(true);
    rig.close(link, 'reset');
  });

  spec('Driver ends a session whose client resets while it is inspected', async (rig) => {
    const { client, link } = await arrival(rig);
    rig.inspect(link, 10);
    client.write('abc');
    await quiet(rig);
    client.resetAndDestroy();
    expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer', bytesToBackend: 0 });
    expect(rig.count('received')).toBe(0);
  });

  spec('Driver keeps 200 silent clients under inspection apart from one that talks', async (rig) => {
    const address = await rig.listen();
    const silent: Socket[] = [];
    rig.set({ inspectsAccepted: true });
    rig.onEvent = (event) => {
      if (event.kind === 'half-closed') rig.close(event.link, 'fin');
    };
    for (let i = 0; i < 200; i++) silent.push(await rig.client(address));
    const talker = await rig.client(address);
    talker.write('hello');
    expect(text(await rig.event('received'))).toBe('hello');
    for (const client of silent) client.end();
    talker.end();
    await eventually('all have left', () => rig.count('over') === 201);
    expect(rig.count('received')).toBe(0);
  });
}

async function arrival(rig: Rig): Promise<{ readonly client: Socket; readonly link: LinkId }> {
  const client = await rig.client(await rig.listen());
  const { link } = await rig.event('accepted');
  return { client, link };
}

function echoBackend(rig: Rig): Promise<Address> {
  return rig.backend(echo);
}

function text({ bytes }: { readonly bytes: Uint8Array }): string {
  return Buffer.from(bytes).toString('latin1');
}
