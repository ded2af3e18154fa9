import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import { expect } from 'vitest';
import type { Address, SessionId } from '../../src/core/contract.ts';
import { echo, eventually, listenOn, readAll } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

export function inspection(spec: Spec): void {
  spec('Driver shows the bytes that a client has sent before it was asked', async (rig) => {
    const { client, session } = await arrival(rig);
    client.end('hello');
    await rig.event('half-closed');
    rig.inspect(session, 0);
    expect(text(await rig.event('received'))).toBe('hello');
    expect(rig.count('received')).toBe(0);
    rig.close(session, 'reset');
  });

  spec('Driver shows all that it holds, as soon as that is more than was seen', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 0);
    client.write('ab');
    expect(text(await rig.event('received'))).toBe('ab');
    rig.inspect(session, 4);
    client.write('cd');
    await quiet();
    expect(rig.count('received')).toBe(0);
    client.write('e');
    expect(text(await rig.event('received'))).toBe('abcde');
    rig.close(session, 'reset');
  });

  spec('Driver shows bytes once for each time that it is asked', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 0);
    client.write('once');
    await rig.event('received');
    client.write('again');
    await quiet();
    expect(rig.count('received')).toBe(0);
    rig.inspect(session, 4);
    expect(text(await rig.event('received'))).toBe('onceagain');
    rig.close(session, 'reset');
  });

  spec('Driver shows what is due before it tells of the FIN behind it', async (rig) => {
    const order: string[] = [];
    rig.onEvent = ({ kind }) => order.push(kind);
    const { client, session } = await arrival(rig);
    rig.inspect(session, 0);
    client.end('all');
    expect(await rig.event('half-closed')).toMatchObject({ side: 'client', unsentBytes: 3 });
    expect(order).toEqual(['accepted', 'received', 'half-closed']);
    rig.close(session, 'reset');
  });

  spec('Driver shows what it was asked for just before a FIN came', async (rig) => {
    const address = await rig.listen();
    rig.onEvent = ({ kind, session }) => {
      if (kind === 'accepted') rig.inspect(session, 0);
    };
    for (let attempt = 0; attempt < 20; attempt++) {
      const client = await rig.client(address);
      client.write('all');
      const { session } = await rig.event('received');
      client.end();
      await once(client, 'finish');
      // Whether the driver knows of the FIN already is up to chance; whether it has told so is not.
      const isTold = rig.count('half-closed') > 0;
      rig.inspect(session, 0);
      let isShown = false;
      let cameInOrder = isTold;
      rig.onEvent = (event) => {
        if (event.kind === 'accepted') rig.inspect(event.session, 0);
        if (event.kind === 'received') isShown = true;
        if (event.kind === 'half-closed') cameInOrder = isShown;
      };
      await rig.event('received');
      await rig.event('half-closed');
      expect(cameInOrder).toBe(true);
      rig.close(session, 'reset');
      await rig.event('ended');
    }
  });

  spec('Driver tells of a FIN that comes instead of what was asked for', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 5);
    client.end('short');
    expect(await rig.event('half-closed')).toMatchObject({ unsentBytes: 5 });
    expect(rig.count('received')).toBe(0);
    rig.close(session, 'reset');
  });

  spec('Driver shows 20,000 bytes that come one at a time, and delivers them untouched', async (rig) => {
    const payload = randomBytes(20_000);
    const { client, session } = await arrival(rig);
    const target = await echoBackend(rig);
    let seen = 0;
    rig.onEvent = (event) => {
      if (event.kind !== 'received') return;
      expect(event.bytes.length).toBeGreaterThan(seen);
      seen = event.bytes.length;
      if (seen < payload.length) rig.inspect(session, seen);
    };
    rig.inspect(session, 0);
    for (let i = 0; i < payload.length; i++) {
      client.write(payload.subarray(i, i + 1));
      if (i % 10 === 0) await new Promise(setImmediate);
    }
    await rig.until('all bytes were seen', () => seen === payload.length);
    rig.dial(session, target);
    client.end();
    expect((await readAll(client)).equals(payload)).toBe(true);
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 20_000, bytesToClient: 20_000 });
  });

  spec('Driver holds 64 KiB for inspection, and not much more', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 64 * 1024 - 1);
    const payload = randomBytes(8 * 1024 * 1024);
    client.end(payload);
    const { bytes } = await rig.event('received');
    expect(bytes.length).toBeLessThan(256 * 1024);
    expect(payload.subarray(0, bytes.length).equals(bytes)).toBe(true);
    await quiet();
    rig.inspect(session, bytes.length);
    await quiet();
    expect(rig.count('half-closed')).toBe(0);
    rig.dial(session, await echoBackend(rig));
    expect((await readAll(client)).equals(payload)).toBe(true);
  });

  spec('Driver forgets an inspection when it dials', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 0);
    rig.dial(session, await echoBackend(rig));
    client.end('hello');
    expect((await readAll(client)).toString()).toBe('hello');
    await rig.event('ended');
    expect(rig.count('received')).toBe(0);
  });

  spec('Driver forgets an inspection when it dials in vain', async (rig) => {
    const { client, session } = await arrival(rig);
    const nobody = net.createServer();
    const address = await listenOn(nobody, { host: '127.0.0.1', port: 0 });
    nobody.close();
    await once(nobody, 'close');
    rig.inspect(session, 0);
    rig.dial(session, address);
    await rig.event('dial-failed');
    client.end('hello');
    await rig.event('half-closed');
    expect(rig.count('received')).toBe(0);
    rig.close(session, 'reset');
  });

  spec('Driver withdraws what is due when a dial or a close follows at once', async (rig) => {
    const target = await echoBackend(rig);
    rig.target = undefined;
    const address = await rig.listen();
    for (const next of ['dial', 'reset', 'fin'] as const) {
      const client = await rig.client(address);
      const { session } = await rig.event('accepted');
      client.end('hello');
      await rig.event('half-closed');
      rig.inspect(session, 0);
      if (next === 'dial') rig.dial(session, target);
      else rig.close(session, next);
      client.resume();
      await rig.event('ended');
    }
    expect(rig.count('received')).toBe(0);
  });

  spec('Driver does not deliver what was discarded', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 0);
    client.write('header');
    await rig.event('received');
    rig.discard(session, 6);
    rig.inspect(session, 0);
    client.write('pay');
    expect(text(await rig.event('received'))).toBe('pay');
    rig.discard(session, 1);
    client.end('load');
    expect(await rig.event('half-closed')).toMatchObject({ unsentBytes: 6 });
    rig.dial(session, await echoBackend(rig));
    expect((await readAll(client)).toString()).toBe('ayload');
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 6, bytesToClient: 6 });
  });

  spec('Driver shows what is left after a discard inside the same event', async (rig) => {
    const { client, session } = await arrival(rig);
    const seen: string[] = [];
    rig.onEvent = (event) => {
      if (event.kind !== 'received') return;
      seen.push(text(event));
      rig.discard(session, 2);
      rig.inspect(session, 0);
    };
    rig.inspect(session, 0);
    client.write('abcdef');
    await rig.until('nothing is left', () => seen.length === 3);
    expect(seen).toEqual(['abcdef', 'cdef', 'ef']);
    rig.close(session, 'reset');
  });

  spec('Driver reads on when a discard makes room', async (rig) => {
    const { client, session } = await arrival(rig);
    const payload = randomBytes(4 * 1024 * 1024);
    client.end(payload);
    const passed: Uint8Array[] = [];
    for (let total = 0; total < payload.length; ) {
      const leftBytes = payload.length - total;
      rig.inspect(session, Math.min(leftBytes, 64 * 1024) - 1);
      const { bytes } = await rig.event('received');
      passed.push(bytes);
      total += bytes.length;
      // By now the driver has stopped reading.
      rig.discard(session, bytes.length);
    }
    expect(Buffer.concat(passed).equals(payload)).toBe(true);
    rig.close(session, 'reset');
  });

  spec('Driver ends a session whose client resets while it is inspected', async (rig) => {
    const { client, session } = await arrival(rig);
    rig.inspect(session, 10);
    client.write('abc');
    await quiet();
    client.resetAndDestroy();
    expect(await rig.event('ended')).toMatchObject({ how: 'client-reset', bytesToBackend: 0 });
    expect(rig.count('received')).toBe(0);
  });

  spec('Driver keeps 200 silent clients under inspection apart from one that talks', async (rig) => {
    const address = await rig.listen();
    const silent: Socket[] = [];
    rig.onEvent = (event) => {
      if (event.kind === 'accepted') rig.inspect(event.session, 0);
      if (event.kind === 'half-closed') rig.close(event.session, 'fin');
    };
    for (let i = 0; i < 200; i++) silent.push(await rig.client(address));
    const talker = await rig.client(address);
    talker.write('hello');
    expect(text(await rig.event('received'))).toBe('hello');
    for (const client of silent) client.end();
    talker.end();
    await eventually('all have left', () => rig.count('ended') === 201);
    expect(rig.count('received')).toBe(0);
  });
}

async function arrival(rig: Rig): Promise<{ readonly client: Socket; readonly session: SessionId }> {
  const client = await rig.client(await rig.listen());
  const { session } = await rig.event('accepted');
  return { client, session };
}

function echoBackend(rig: Rig): Promise<Address> {
  return rig.backend(echo);
}

function text({ bytes }: { readonly bytes: Uint8Array }): string {
  return Buffer.from(bytes).toString('latin1');
}

/** Turns of the event loop in which what must not come would have come. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
}
