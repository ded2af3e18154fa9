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
import { inspection } from './inspection.ts';
import { listening } from './listening.ts';
import { echo, eventually, readBytes } from './peers.ts';
import { preamble } from './preamble.ts';
import { resets } from './resets.ts';
import { openSockets, Rig, type RigOptions } from './rig.ts';
import type { Spec } from './spec.ts';

/** `exceptions`: tests that this driver can't pass, by title or by group, each with the reason. */
export function describeDriver(
  name: string,
  create: (host: DriverHost) => Driver,
  exceptions: Readonly<Record<string, string>> = {},
  options: RigOptions = {},
): void {
  describe(name, () => {
    let rig: Rig;
    let socketsBefore: number | undefined;

    // What a driver opens once and keeps (a reserve descriptor, say) is no leak.
    beforeAll(async () => {
      const first = new Rig(create, options);
      await first.backend(echo);
      const client = await first.client(await first.listen());
      client.write('x');
      await readBytes(client, 1);
      await first.dispose();
    });

    beforeEach(() => {
      socketsBefore = openSockets();
      rig = new Rig(create, options);
    });

    afterEach(async () => {
      await rig.dispose();
      expect(rig.violations).toEqual([]);
      await eventually('sockets are back where they were', () => openSockets() === socketsBefore);
    });

    const group = (about: string, specs: (spec: Spec) => void): void => {
      const spec: Spec = (title, run) => {
        const why = exceptions[title] ?? exceptions[about];
        if (why === undefined) test(title, () => run(rig));
        else test.skip(`${title} (${why})`);
      };
      describe(about, () => specs(spec));
    };

    group('bytes', bytes);
    group('half-close', halfClose);
    group('resets', resets);
    group('back-pressure', backPressure);
    group('inspection', inspection);
    group('dialing', dialing);
    group('preamble', preamble);
    group('closing', closing);
    group('listening', listening);
    group('exhaustion', exhaustion);
  });
}
