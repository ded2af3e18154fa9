import { describe, expect, it } from 'vitest';
import { unavailability } from '../../src/core/availability/availability.ts';
import { Backend } from '../../src/core/backend.ts';
import { healthWords } from '../../src/core/ledger/ledger.ts';
import type { BackendPlan } from '../../src/core/plan.ts';
import { backendPlan, freshLedger, poolPolicy } from './harness.ts';

describe('unavailability', () => {
  it('finds nothing wrong with a backend that is fresh, or up', () => {
    const { backend, ledger } = stage();
    expect(unavailability(backend, 0, false)).toBeUndefined();
    ledger.health[0] = healthWords.indexOf('up');
    expect(unavailability(backend, 0, false)).toBeUndefined();
  });

  it('names the first of all that is wrong: maint, drained, down, circuit-open, full', () => {
    const broken = { down: true, open: true, full: true };
    const why = (weight: number, wrong: Partial<typeof broken>, state: BackendPlan['state'] = 'ready') => {
      const { backend, ledger } = stage({ state, weight, maxConnections: 1 });
      if (wrong.full) ledger.backendActive.tryTake(0, 1);
      if (wrong.open) breakOpen(backend);
      if (wrong.down) ledger.health[0] = healthWords.indexOf('down');
      return unavailability(backend, 0, false);
    };
    expect(why(0, broken, 'maint')).toBe('maint');
    expect(why(0, broken)).toBe('drained');
    expect(why(1, broken, 'drain')).toBe('drained');
    expect(why(1, broken)).toBe('down');
    expect(why(1, { open: true, full: true })).toBe('circuit-open');
    expect(why(1, { full: true })).toBe('full');
    expect(why(1, {})).toBeUndefined();
  });

  it('lets a drained backend be, in panic too', () => {
    for (const state of ['drain', 'maint'] as const) {
      const { backend } = stage({ state });
      expect(unavailability(backend, 0, true)).toBeDefined();
    }
  });

  it('ignores health in panic', () => {
    const { backend, ledger } = stage();
    ledger.health[0] = healthWords.indexOf('down');
    expect(unavailability(backend, 0, true)).toBeUndefined();
    breakOpen(backend);
    expect(unavailability(backend, 0, true)).toBe('circuit-open');
  });
});

function stage(plan: Partial<BackendPlan> = {}) {
  const ledger = freshLedger();
  return { ledger, backend: new Backend(backendPlan(0, plan), poolPolicy, ledger, () => 0.5) };
}

function breakOpen({ breaker }: Backend): void {
  for (let turn = 0; turn < 5; turn++) {
    const admission = breaker?.admit(0);
    if (admission !== undefined) breaker?.settle(admission, 'failed', 0);
  }
}
