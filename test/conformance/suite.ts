/**
 * What every driver must do, shown over real sockets: the rules of `src/drivers/driver.ts`. The tests know a
 * driver by its interface alone, so that each driver runs the same ones.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Driver, DriverHost } from '../../src/drivers/driver.ts';
import { backPressure } from './back-pressure.ts';
import { bytes } from './bytes.ts';
import { closing } from './closing.ts';
import { dialing } from './dialing.ts';
import { exhaustion } from './exhaustion.ts';
import { halfClose } from './half-close.ts';
import { listening } from './listening.ts';
import { echo, eventually, readBytes } from './peers.ts';
import { resets } from './resets.ts';
import { openSockets, Rig } from './rig.ts';
import type { Spec } from './spec.ts';

/** `exceptions`: titles of tests that this driver can't pass, each with the reason. */
export function describeDriver(
  name: string,
  create: (host: DriverHost) => Driver,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  describe(name, () => {
    let rig: Rig;
    let socketsBefore: number | undefined;

    // What a driver opens once and keeps (a reserve descriptor, say) is no leak.
    beforeAll(async () => {
      const first = new Rig(create);
      await first.backend(echo);
      const client = await first.client(await first.listen());
      client.write('x');
      await readBytes(client, 1);
      await first.dispose();
    });

    beforeEach(() => {
      socketsBefore = openSockets();
      rig = new Rig(create);
    });

    afterEach(async () => {
      await rig.dispose();
      expect(rig.violations).toEqual([]);
      await eventually('sockets are back where they were', () => openSockets() === socketsBefore);
    });

    const spec: Spec = (title, run) => {
      const why = exceptions[title];
      if (why === undefined) test(title, () => run(rig));
      else test.skip(`${title} (${why})`);
    };

    describe('bytes', () => bytes(spec));
    describe('half-close', () => halfClose(spec));
    describe('resets', () => resets(spec));
    describe('back-pressure', () => backPressure(spec));
    describe('dialing', () => dialing(spec));
    describe('closing', () => closing(spec));
    describe('listening', () => listening(spec));
    describe('exhaustion', () => exhaustion(spec));
  });
}
