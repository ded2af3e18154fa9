import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HealthState } from '../../src/core/health.ts';

/** P for a pass, F for a failure; gives the transitions, `-` where there is none. */
function transitions(thresholds: { rise: number; fall: number }, results: string): string[] {
  const state = new HealthState(thresholds);
  return [...results].map((result) => state.record(result === 'P') ?? '-');
}

describe('HealthState', () => {
  it('is unknown before the first result', () => {
    expect(new HealthState({ rise: 2, fall: 3 }).health).toBe('unknown');
  });

  it('takes the first result at once, whatever the thresholds', () => {
    expect(transitions({ rise: 5, fall: 5 }, 'P')).toEqual(['up']);
    expect(transitions({ rise: 5, fall: 5 }, 'F')).toEqual(['down']);
  });

  it('goes down after `fall` failures in a row and comes up after `rise` passes in a row', () => {
    expect(transitions({ rise: 2, fall: 3 }, 'PFFFPP')).toEqual(['up', '-', '-', 'down', '-', 'up']);
  });

  it('stays up and stays down while passes and failures alternate', () => {
    expect(transitions({ rise: 2, fall: 3 }, 'PFPFPFPF').slice(1)).not.toContain('down');
    expect(transitions({ rise: 2, fall: 3 }, 'FPFPFPFP').slice(1)).not.toContain('up');
  });

  it('agrees with counting consecutive results', () => {
    const threshold = fc.integer({ min: 1, max: 6 });
    const results = fc.array(fc.boolean(), { maxLength: 200 });
    fc.assert(
      fc.property(threshold, threshold, results, (rise, fall, sequence) => {
        const state = new HealthState({ rise, fall });
        const naive = new ConsecutiveCounts(rise, fall);
        for (const pass of sequence) {
          expect(state.record(pass)).toBe(naive.record(pass));
          expect(state.health).toBe(naive.health);
        }
      }),
    );
  });

  describe('with other thresholds', () => {
    function afterwards(results: string, thresholds: { rise: number; fall: number }, more: string): string[] {
      const state = new HealthState({ rise: 2, fall: 3 });
      for (const result of results) state.record(result === 'P');
      const { health } = state;
      state.follow(thresholds);
      expect(state.health).toBe(health);
      return [...more].map((result) => state.record(result === 'P') ?? '-');
    }

    it('keeps its health, and the count of what speaks against it', () => {
      expect(afterwards('PFF', { rise: 2, fall: 4 }, 'FF')).toEqual(['-', 'down']);
      expect(afterwards('FP', { rise: 4, fall: 3 }, 'PPP')).toEqual(['-', '-', 'up']);
    });

    it('turns with the next result where there were enough already', () => {
      expect(afterwards('PFF', { rise: 2, fall: 1 }, 'F')).toEqual(['down']);
      expect(afterwards('PFF', { rise: 5, fall: 2 }, 'PFF')).toEqual(['-', '-', 'down']);
      expect(afterwards('FP', { rise: 1, fall: 3 }, 'P')).toEqual(['up']);
    });

    it('is unknown still, where it was', () => {
      expect(afterwards('', { rise: 3, fall: 4 }, 'F')).toEqual(['down']);
    });
  });
});

/** The rule as one would say it: so many in a row, since the last result of the other kind. */
class ConsecutiveCounts {
  health: 'unknown' | 'up' | 'down' = 'unknown';
  readonly #rise: number;
  readonly #fall: number;
  #passes = 0;
  #failures = 0;

  constructor(rise: number, fall: number) {
    this.#rise = rise;
    this.#fall = fall;
  }

  record(pass: boolean): 'up' | 'down' | undefined {
    this.#passes = pass ? this.#passes + 1 : 0;
    this.#failures = pass ? 0 : this.#failures + 1;
    const first = this.health === 'unknown';
    const before = this.health;
    if (pass && (first || this.#passes >= this.#rise)) this.health = 'up';
    if (!pass && (first || this.#failures >= this.#fall)) this.health = 'down';
    return this.health === before || this.health === 'unknown' ? undefined : this.health;
  }
}
