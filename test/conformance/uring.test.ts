import { test } from 'vitest';
import type { DriverHost } from '../../src/drivers/driver.ts';
import { createUringDriver } from '../../src/drivers/uring/driver.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { Rig } from './rig.ts';
import { describeDriver } from './suite.ts';

const reason = whyNot();

if (reason === undefined) {
  describeDriver('uring driver', (host) => createUringDriver(host, 'event-loop'));

  test('Uring drivers share a port', async () => {
    const create = (host: DriverHost) => createUringDriver(host, 'event-loop');
    const rigs = [new Rig(create), new Rig(create)] as const;
    const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, true);
    await rigs[1].listen(address, true);
    for (const rig of rigs) await rig.dispose();
  });
} else {
  test.skip(`uring driver (${reason})`);
}
