import { describe, it } from 'vitest';
import { Simulation } from './simulation.ts';

const steps = 3_000;

/** SLUICE_SEED repeats one run; otherwise the same seeds each time, and a few that nobody has tried. */
function seeds(): readonly number[] {
  const given = process.env['SLUICE_SEED'];
  if (given !== undefined) return [Number(given)];
  const fixed = Array.from({ length: 30 }, (_, index) => index + 1);
  const fresh = Array.from({ length: 4 }, () => Math.floor(Math.random() * 2 ** 31));
  return [...fixed, ...fresh];
}

describe('The core in a simulated world', () => {
  for (const seed of seeds()) {
    it(`keeps every invariant with seed ${seed}`, () => Simulation.run(seed, steps));
  }
});
