/** The drivers there are, and which one serves here. */
import type { DriverModule } from './driver.ts';
import { portable } from './portable/module.ts';
import { uring } from './uring/module.ts';
import { whyNot } from './uring/probe.ts';

export interface DriverChoice {
  /** Undefined where the driver that was asked for does not run here. */
  readonly module: DriverModule | undefined;
  /** For people: why this one, or none. */
  readonly why: string;
}

export const driverModules: Readonly<Record<DriverModule['name'], DriverModule>> = { portable, uring };

/**
 * `auto` is the uring driver where it runs and portable elsewhere. `obstacle` says what keeps the uring driver from
 * running here, if anything does.
 */
export function chooseDriver(
  wanted: DriverModule['name'] | 'auto',
  obstacle: () => string | undefined = whyNot,
): DriverChoice {
  if (wanted === 'portable') return { module: portable, why: 'the configuration asks for it' };
  const found = obstacle();
  if (wanted === 'auto') {
    return found === undefined
      ? { module: uring, why: 'io_uring works here' }
      : { module: portable, why: `the uring driver does not run here: ${found}` };
  }
  return found === undefined
    ? { module: uring, why: 'the configuration asks for it, and io_uring works here' }
    : { module: undefined, why: found };
}
