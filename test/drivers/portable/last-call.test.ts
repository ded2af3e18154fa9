import { expect, test } from 'vitest';
import { loadLibc } from '../../../src/drivers/uring/libc.ts';
import { whyNot } from '../../../src/drivers/uring/probe.ts';
import { echo, inTime, pause, readAll } from '../../conformance/peers.ts';
import { Rig } from '../../conformance/rig.ts';
import { slowToAcknowledge } from '../slow-handshake.ts';

test.runIf(whyNot() === undefined)(
  'Portable driver takes whoever is in the middle of a handshake when its address goes to another driver',
  async () => {
    const libc = loadLibc();
    const rig = await Rig.start('portable');
    await rig.backend(echo);
    const address = await rig.listen();
    const slow = Array.from({ length: 50 }, () => slowToAcknowledge(libc, address));
    const unlistened = rig.unlisten(address, true);
    const echoes = slow.map(async (client, number) => {
      await pause(2 * number);
      client.end(`from ${number}`);
      return (await readAll(client)).toString();
    });
    expect(await inTime(Promise.all(echoes), 'echoes')).toEqual(slow.map((_, number) => `from ${number}`));
    await unlistened;
    await rig.dispose();
    for (const client of slow) client.destroy();
  },
);

test.runIf(whyNot() === undefined)(
  'Portable driver accepts again at an address that it is given back before it has let it go',
  async () => {
    const rig = await Rig.start('portable');
    await rig.backend(echo);
    const address = await rig.listen();
    const unlistened = rig.unlisten(address, true);
    expect(await rig.listen(address)).toEqual(address);
    await unlistened;
    const client = await rig.client(address);
    client.end('here');
    expect((await readAll(client)).toString()).toBe('here');
    await rig.dispose();
  },
);
