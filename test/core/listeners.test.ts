import { describe, expect, it } from 'vitest';
import { Listeners } from '../../src/core/listeners.ts';
import { freshLedger, planOf, poolPlan } from './harness.ts';

describe('Listeners', () => {
  const plan = planOf(poolPlan(1));
  const without = { ...plan, listeners: [] };
  const following = (sessions: number): Listeners => {
    const listeners = new Listeners(freshLedger());
    listeners.follow(plan);
    for (let session = 0; session < sessions; session++) listeners.began(0);
    return listeners;
  };

  it('forget one that was removed, its keys too, with the last of its sessions', () => {
    const listeners = following(2);
    listeners.follow(without);
    listeners.ended(0);
    expect(listeners.find(0)).toBeDefined();
    listeners.ended(0);
    expect(listeners.find(0)).toBeUndefined();
  });

  it('forget at once one that was removed and has no sessions', () => {
    const listeners = following(0);
    listeners.follow(without);
    expect(listeners.find(0)).toBeUndefined();
  });

  it('keep one that came back before its last session had ended', () => {
    const listeners = following(1);
    listeners.follow(without);
    listeners.follow(plan);
    listeners.ended(0);
    expect(listeners.find(0)).toBeDefined();
  });
});
