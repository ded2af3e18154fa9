import { test } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { Rig } from './rig.ts';
import { describeDriver } from './suite.ts';

const reason = whyNot();

if (reason === undefined) {
  describeDriver('uring');

  test('Uring drivers share a port', async () => {
    const rigs = [await Rig.start('uring'), await Rig.start('uring')] as const;
    const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, { shared: true });
    await rigs[1].listen(address, { shared: true });
    for (const rig of rigs) await rig.dispose();
  });
} else {
  test.skip(`uring driver (${reason})`);
}
