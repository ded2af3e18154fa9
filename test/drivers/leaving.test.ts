/**
 * Whoever was told that the connection is made must be served, even where its last packet of the handshake comes when
 * the socket is about to be closed. That is so far from here; near by it takes clients that hold that packet back.
 */
import net from 'node:net';
import { expect, test } from 'vitest';
import { loadLibc } from '../../src/drivers/uring/libc.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { echo, fate, inTime, pause, readAll } from '../conformance/peers.ts';
import { openSockets, Rig } from '../conformance/rig.ts';
import { slowToAcknowledge } from './slow-handshake.ts';

const clients = 50;

test.runIf(whyNot() === undefined).each(['uring', 'portable'] as const)(
  'Driver %s takes whoever is in the middle of a handshake when an address is given up, and nobody after',
  async (driver) => {
    const libc = loadLibc();
    const rig = await Rig.start(driver);
    const socketsBefore = openSockets();
    await rig.backend(echo);
    const address = await rig.listen();
    const slow = Array.from({ length: clients }, () => slowToAcknowledge(libc, address));
    const unlistened = rig.unlisten(address);
    // Once this is answered, that was heard.
    await rig.ask({ what: 'held' });
    const late = net.connect({ ...address });
    const happened: string[] = [];
    const lateFate = fate(late).finally(() => happened.push('refused'));
    void unlistened.then(() => happened.push('left'));
    const echoes = slow.map(async (client, number) => {
      await pause(2 * number);
      client.end(`from ${number}`);
      return (await readAll(client)).toString();
    });
    await unlistened;
    expect(await inTime(Promise.all(echoes), 'echoes')).toEqual(slow.map((_, number) => `from ${number}`));
    expect(rig.count('accepted')).toBe(clients);
    expect(await lateFate).toBe('reset');
    // And at once, not when it asks again a second later.
    expect(happened).toEqual(['refused', 'left']);
    expect(late.bytesRead).toBe(0);
    await rig.dispose();
    for (const client of slow) client.destroy();
    await inTime(
      Promise.all(slow.map((client) => client.closed || new Promise((r) => client.on('close', r)))),
      'close',
    );
    expect(openSockets()).toBe(socketsBefore);
  },
);

test.runIf(whyNot() === undefined)(
  'Uring driver leaves whoever comes to another that listens on every address, once one address is given up',
  async () => {
    const rig = await Rig.start('uring');
    await rig.backend(echo);
    const address = await rig.listen({ host: '127.0.0.1', port: 0 }, { shared: true });
    if ('path' in address) throw new Error('Expected a port');
    await rig.listen({ host: '0.0.0.0', port: address.port }, { shared: true });
    let hasLeft = false;
    const unlistened = rig.unlisten(address).then(() => {
      hasLeft = true;
    });
    await rig.ask({ what: 'held' });
    const late = await rig.client(address);
    late.end('late');
    expect((await readAll(late)).toString()).toBe('late');
    expect(hasLeft).toBe(false);
    await unlistened;
    await rig.dispose();
  },
);
