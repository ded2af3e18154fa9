import { expect, test } from 'vitest';
import { portable } from '../../src/drivers/portable/module.ts';
import { Rig } from './rig.ts';
import { describeDriver } from './suite.ts';

describeDriver('portable');

test.runIf(portable.sharesPorts)('Portable drivers share a port where they say that they do', async () => {
  const rigs = [await Rig.start('portable'), await Rig.start('portable')] as const;
  const address = await rigs[0].listen({ host: '127.0.0.1', port: 0 }, { shared: true });
  expect(await rigs[1].listen(address, { shared: true })).toEqual(address);
  for (const rig of rigs) await rig.dispose();
});
