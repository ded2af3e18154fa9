/** The drivers there are, and which one serves here. */
import type { DriverModule } from './driver.ts';
import { portable } from './portable/module.ts';

export interface DriverChoice {
  readonly module: DriverModule;
  /** For people: why this one. */
  readonly why: string;
}

export const driverModules: Readonly<Partial<Record<DriverModule['name'], DriverModule>>> = { portable };

/** Undefined where the driver that was asked for does not run here. */
export function chooseDriver(wanted: DriverModule['name'] | 'auto'): DriverChoice | undefined {
  if (wanted === 'portable') return { module: portable, why: 'the configuration asks for it' };
  if (wanted === 'auto') return { module: portable, why: 'it is the only one in this version' };
  return undefined;
}
