import { once } from 'node:events';
import net from 'node:net';
import { expect } from 'vitest';
import type { SessionId } from '../../src/core/contract.ts';
import { fate, listenOn, readAll, readBytes } from './peers.ts';
import type { Rig } from './rig.ts';
import type { Spec } from './spec.ts';

const preambleBytes = Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1234 443\r\n');
const text = preambleBytes.toString();

export function preamble(spec: Spec): void {
  spec('Driver sends a preamble although the client is silent', async (rig) => {
    const session = await arrival(rig);
    const greeted: Promise<string>[] = [];
    const target = await rig.backend((socket) => {
      const header = readBytes(socket, text.length);
      greeted.push(header);
      void header.then(() => socket.end('220 ready'));
    });
    rig.dial(session.id, target, { preamble: preambleBytes });
    expect((await readAll(session.client)).toString()).toBe('220 ready');
    expect(await Promise.all(greeted)).toEqual([text]);
    session.client.end();
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 0, bytesToClient: 9 });
    expect(rig.bytesToBackend).toBe(0);
  });

  spec('Driver sends a preamble and what is held in one write', async (rig) => {
    const session = await arrival(rig);
    session.client.write('hello');
    await rig.event('received');
    const firstReads: Buffer[] = [];
    const target = await rig.backend((socket) => {
      socket.once('data', (chunk: Buffer) => {
        firstReads.push(chunk);
        socket.end('bye');
      });
    });
    rig.dial(session.id, target, { preamble: preambleBytes });
    expect((await readAll(session.client)).toString()).toBe('bye');
    expect(Buffer.concat(firstReads).toString()).toBe(`${text}hello`);
    session.client.end();
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 5, bytesToClient: 3 });
    expect(rig.bytesToBackend).toBe(5);
  });

  spec('Driver sends a preamble ahead of the FIN of a client that has sent nothing', async (rig) => {
    const session = await arrival(rig);
    session.client.end();
    await rig.event('half-closed');
    const heard: Promise<Buffer>[] = [];
    const target = await rig.backend((socket) => {
      heard.push(readAll(socket));
      socket.on('end', () => socket.end());
    });
    rig.dial(session.id, target, { preamble: preambleBytes });
    await readAll(session.client);
    expect(Buffer.concat(await Promise.all(heard)).toString()).toBe(text);
    expect(await rig.event('ended')).toMatchObject({ how: 'finished', bytesToBackend: 0 });
  });

  spec('Driver sends no preamble but that of the dial that succeeded', async (rig) => {
    const session = await arrival(rig);
    session.client.write('hello');
    await rig.event('received');
    const refused = net.createServer();
    const nobody = await listenOn(refused, { host: '127.0.0.1', port: 0 });
    refused.close();
    await once(refused, 'close');
    rig.dial(session.id, nobody, { preamble: Buffer.from('first ') });
    await rig.event('dial-failed');
    rig.relaysAtOnce = false;
    const lost = await rig.backend((socket) => socket.resume());
    rig.dial(session.id, lost, { preamble: Buffer.from('second ') });
    await rig.event('dialed');
    rig.execute({ kind: 'abort-dial', session: session.id });
    rig.relaysAtOnce = true;
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(session.id, target, { preamble: Buffer.from('third ') });
    session.client.end();
    expect((await readAll(session.client)).toString()).toBe('third hello');
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: 5, bytesToClient: 11 });
  });

  spec('Driver sends no preamble where a dial without one follows', async (rig) => {
    const session = await arrival(rig);
    rig.relaysAtOnce = false;
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(session.id, target, { preamble: preambleBytes });
    await rig.event('dialed');
    rig.execute({ kind: 'abort-dial', session: session.id });
    rig.relaysAtOnce = true;
    rig.dial(session.id, target);
    session.client.end('hello');
    expect((await readAll(session.client)).toString()).toBe('hello');
  });

  spec('Driver delivers 4 MiB behind a preamble, in order', async (rig) => {
    const session = await arrival(rig);
    const payload = Buffer.alloc(4 * 1024 * 1024, 'abcdefg');
    session.client.end(payload);
    await rig.event('received');
    const target = await rig.backend((socket) => socket.pipe(socket));
    rig.dial(session.id, target, { preamble: preambleBytes });
    const echoed = await readAll(session.client);
    expect(echoed.equals(Buffer.concat([preambleBytes, payload]))).toBe(true);
    expect(await rig.event('ended')).toMatchObject({ bytesToBackend: payload.length });
  });

  spec('Driver closes with reset before a preamble went out', async (rig) => {
    const session = await arrival(rig);
    rig.relaysAtOnce = false;
    const target = await rig.backend((socket) => socket.resume());
    rig.dial(session.id, target, { preamble: preambleBytes });
    await rig.event('dialed');
    const clientFate = fate(session.client);
    rig.close(session.id, 'reset');
    expect(await clientFate).toBe('reset');
    expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
  });
}

/** A client whose first bytes are shown, so that a test can wait until they are held. */
async function arrival(rig: Rig): Promise<{ readonly client: net.Socket; readonly id: SessionId }> {
  rig.onEvent = (event) => {
    if (event.kind === 'accepted') rig.inspect(event.session, 0);
  };
  const client = await rig.client(await rig.listen());
  const { session } = await rig.event('accepted');
  return { client, id: session };
}
