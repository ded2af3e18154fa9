/**
 * What every driver must do, shown over real sockets: the rules of `src/drivers/driver.ts`. The tests know a
 * driver by its contract alone, so that each driver runs the same ones, in a thread of its own, as it ships.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { backPressure } from './back-pressure.ts';
import { bytes } from './bytes.ts';
import { closing } from './closing.ts';
import { dialing } from './dialing.ts';
import { earlyAnswer } from './early-answer.ts';
import { exhaustion } from './exhaustion.ts';
import { first } from './first.ts';
import { halfClose } from './half-close.ts';
import { inspection } from './inspection.ts';
import { keepAlive } from './keep-alive.ts';
import { listening } from './listening.ts';
import type { DriverName } from './messages.ts';
import { echo, eventually, readBytes } from './peers.ts';
import { resets } from './resets.ts';
import { DriverThread, openSockets, Rig, type RigOptions } from './rig.ts';
import type { Spec } from './spec.ts';
import { stalls } from './stalls.ts';

/** `exceptions`: tests that this driver can't pass, by title or by group, each with the reason. */
export function describeDriver(
  driver: DriverName,
  exceptions: Readonly<Record<string, string>> = {},
  options: RigOptions = {},
): void {
  const name = options.tls === undefined ? `${driver} driver` : `${driver} driver over TLS`;
  describe(name, () => {
    let thread: DriverThread;
    let rig: Rig;
    let socketsBefore: number | undefined;

    // What a driver opens once and keeps (a reserve descriptor, say) is no leak.
    beforeAll(async () => {
      thread = await DriverThread.start();
      const warmUp = await Rig.start(driver, options, thread);
      await warmUp.backend(echo);
      const client = await warmUp.client(await warmUp.listen());
      client.write('x');
      await readBytes(client, 1);
      await warmUp.dispose();
    });

    afterAll(() => thread.end());

    beforeEach(async () => {
      socketsBefore = openSockets();
      rig = await Rig.start(driver, options, thread);
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
    group('early answer', earlyAnswer);
    group('resets', resets);
    group('stalls', stalls);
    group('back-pressure', backPressure);
    group('inspection', inspection);
    group('dialing', dialing);
    group('first', first);
    group('closing', closing);
    group('listening', listening);
    group('keep-alive', keepAlive);
    group('exhaustion', exhaustion);
  });
}
