import { expect, test } from 'vitest';
import { createPortableDriver } from '../../src/drivers/portable/driver.ts';
import { portable } from '../../src/drivers/portable/module.ts';
import { Rig } from './rig.ts';
import { describeDriver } from './suite.ts';

describeDriver('portable driver', (host) => createPortableDriver(host));

test.runIf(portable.sharesPorts)('Portable drivers share a port where they say that they do', async () => {
  const rigs = [new Rig(portable.create), new Rig(portable.create)] as const;
  const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, true);
  expect(await rigs[1].listen(address, true)).toEqual(address);
  for (const rig of rigs) await rig.dispose();
});
