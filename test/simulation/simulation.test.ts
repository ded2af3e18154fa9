import { describe, expect, it } from 'vitest';
import { type Reason, reasons } from '../../src/core/reasons.ts';
import { Simulation } from './simulation.ts';

const steps = 3_000;
const given = process.env['SLUICE_SEED'];

/** SLUICE_SEED repeats one run; otherwise the same seeds each time, and a few that nobody has tried. */
const fixed = given === undefined ? Array.from({ length: 60 }, (_, index) => index + 1) : [Number(given)];
const fresh = given === undefined ? Array.from({ length: 6 }, () => Math.floor(Math.random() * 2 ** 31)) : [];

describe('The core in a simulated world', () => {
  const seen = new Set<Reason>();

  for (const seed of [...fixed, ...fresh]) {
    it(`keeps every invariant with seed ${seed}`, () => {
      for (const reason of Simulation.run(seed, steps)) seen.add(reason);
    });
  }

  it.skipIf(given !== undefined)('comes to every end that a session can have', () => {
    expect(reasons.filter((reason) => !seen.has(reason))).toEqual([]);
  });
});
