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
 * `auto` is portable: the uring driver is young and serves who asks for it by name. `obstacle` says what keeps the
 * uring driver from running here, if anything does.
 */
export function chooseDriver(
  wanted: DriverModule['name'] | 'auto',
  obstacle: () => string | undefined = whyNot,
): DriverChoice {
  if (wanted === 'auto') return { module: portable, why: 'the uring driver is taken only when asked for' };
  if (wanted === 'portable') return { module: portable, why: 'the configuration asks for it' };
  const found = obstacle();
  return found === undefined
    ? { module: uring, why: 'the configuration asks for it, and io_uring works here' }
    : { module: undefined, why: found };
}
