import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BreakerPermit, CircuitBreaker, type DialOutcome } from '../../src/core/circuit-breaker.ts';
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { CircuitBreakerPolicy } from '../../src/core/plan.ts';
import { freshLedger, sharedLedgers } from './harness.ts';

const policy: CircuitBreakerPolicy = {
  consecutiveFailures: 3,
  openForMs: 1_000,
  maxOpenForMs: 8_000,
  halfOpenTrials: 1,
};
/** Neither shortens nor lengthens an opening. */
const noJitter = () => 0.5;

describe('CircuitBreaker', () => {
  it('tells of a change on the worker that has made it alone', () => {
    const told: string[] = [];
    const breakers = sharedLedgers(2).map(
      (ledger, worker) =>
        new CircuitBreaker(ledger, 0, policy, noJitter, ({ to }) => told.push(`${worker} ${to}`)),
    );
    const [one, other] = breakers;
    if (one === undefined || other === undefined) throw new Error('Expected two breakers');
    // All of these dials are under way when the last that it takes fails.
    const permits = breakers.flatMap((breaker) =>
      Array.from({ length: policy.consecutiveFailures }, () => ({ breaker, permit: admitted(breaker, 0) })),
    );
    for (const { breaker, permit } of permits) breaker.settle(permit, 'failed', 0);
    expect(told).toEqual(['0 open']);
    settle(other, 'succeeded', policy.openForMs);
    expect(told).toEqual(['0 open', '1 half-open', '1 closed']);
  });

  it('is closed at first and lets everyone through', () => {
    const { breaker, ledger } = stage();
    expect(ledger.circuitOf(0)).toBe('closed');
    expect(breaker.admits(0)).toBe(true);
    expect(Array.from({ length: 50 }, () => breaker.admit(0)?.trial)).toEqual(new Array(50).fill(false));
  });

  it('opens after so many failures in a row and refuses', () => {
    const { breaker, ledger, dial } = stage();
    dial('failed', 0);
    dial('failed', 0);
    expect(breaker.admits(0)).toBe(true);
    dial('failed', 0);
    expect(ledger.circuitOf(0)).toBe('open');
    expect([breaker.admits(0), breaker.admit(0), breaker.admits(999), breaker.admit(999)]).toEqual([
      false,
      undefined,
      false,
      undefined,
    ]);
    expect(ledger.backendTotals(0).circuitOpened).toBe(1);
  });

  it('forgets failures that are not in a row', () => {
    const { ledger, dial } = stage();
    for (let turn = 0; turn < 10; turn++) {
      dial('failed', 0);
      dial('failed', 0);
      dial('succeeded', 0);
    }
    expect(ledger.circuitOf(0)).toBe('closed');
    for (const outcome of ['failed', 'failed', 'failed'] as const) dial(outcome, 0);
    expect(ledger.circuitOf(0)).toBe('open');
  });

  it('learns nothing from a dial that was abandoned', () => {
    const { ledger, dial } = stage();
    for (let turn = 0; turn < 10; turn++) dial('abandoned', 0);
    dial('failed', 0);
    dial('failed', 0);
    dial('abandoned', 0);
    expect(ledger.circuitOf(0)).toBe('closed');
    dial('failed', 0);
    expect(ledger.circuitOf(0)).toBe('open');
  });

  it('half-opens when its time is over and someone comes', () => {
    const { breaker, ledger, open } = stage();
    open();
    expect(breaker.admits(1_000)).toBe(true);
    expect(ledger.circuitOf(0)).toBe('open');
    expect(breaker.admit(1_000)).toMatchObject({ trial: true });
    expect(ledger.circuitOf(0)).toBe('half-open');
  });

  it('closes when a trial succeeds', () => {
    const { breaker, ledger, open, dial } = stage();
    open();
    dial('succeeded', 1_000);
    expect(ledger.circuitOf(0)).toBe('closed');
    expect(breaker.admit(1_000)).toMatchObject({ trial: false });
    dial('failed', 1_000);
    dial('failed', 1_000);
    expect(ledger.circuitOf(0)).toBe('closed');
  });

  it('opens for twice as long each time a trial fails, up to its longest', () => {
    const { breaker, ledger, open, dial } = stage();
    open();
    let nowMs = 0;
    for (const lastsMs of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]) {
      expect(breaker.admits(nowMs + lastsMs - 1)).toBe(false);
      expect(breaker.admits(nowMs + lastsMs)).toBe(true);
      nowMs += lastsMs;
      dial('failed', nowMs);
      expect(ledger.circuitOf(0)).toBe('open');
    }
    expect(ledger.backendTotals(0).circuitOpened).toBe(7);
  });

  it('begins again with the shortest opening after a trial succeeded', () => {
    const { breaker, open, dial } = stage();
    open();
    dial('failed', 1_000);
    dial('succeeded', 3_000);
    open(3_000);
    expect([breaker.admits(3_999), breaker.admits(4_000)]).toEqual([false, true]);
  });

  it('opens no longer than its longest from the first time on', () => {
    const { breaker, open } = stage({ ...policy, maxOpenForMs: 500 });
    open();
    expect([breaker.admits(499), breaker.admits(500)]).toEqual([false, true]);
  });

  it('knows since when it is in its state', () => {
    const { ledger, open, dial } = stage();
    expect(ledger.circuit.sinceMs[0]).toBe(0);
    open(500);
    expect(ledger.circuit.sinceMs[0]).toBe(500);
    dial('failed', 1_700);
    expect(ledger.circuit.sinceMs[0]).toBe(1_700);
    dial('succeeded', 9_000);
    expect([ledger.circuitOf(0), ledger.circuit.sinceMs[0]]).toEqual(['closed', 9_000]);
  });

  it('shortens or lengthens an opening by at most a tenth', () => {
    const lasts = (drawn: number) => {
      const { ledger, open } = stage(policy, () => drawn);
      open();
      return ledger.circuit.untilMs[0];
    };
    expect([lasts(0), lasts(0.5), lasts(1 - Number.EPSILON)].map((ms) => Math.round(ms ?? 0))).toEqual([
      900, 1_000, 1_100,
    ]);
  });

  it('grows from the opening itself and not from what jitter made of it', () => {
    const { ledger, open, dial } = stage(policy, () => 0);
    open();
    dial('failed', 900);
    expect(Math.round(ledger.circuit.untilMs[0] ?? 0)).toBe(900 + 1_800);
  });

  it('lets exactly halfOpenTrials through of 50 that come', () => {
    for (const halfOpenTrials of [1, 3]) {
      const { breaker, open } = stage({ ...policy, halfOpenTrials });
      open();
      const admissions = Array.from({ length: 50 }, () => breaker.admit(1_000));
      expect(admissions.filter((admission) => admission !== undefined)).toHaveLength(halfOpenTrials);
      expect(breaker.admits(1_000)).toBe(false);
    }
  });

  it('has a trial free again when one was abandoned', () => {
    const { breaker, ledger, open, dial } = stage();
    open();
    for (let turn = 0; turn < 20; turn++) dial('abandoned', 1_000);
    expect(ledger.circuitOf(0)).toBe('half-open');
    const admission = admitted(breaker, 1_000);
    expect(breaker.admits(1_000)).toBe(false);
    breaker.settle(admission, 'abandoned', 1_000);
    expect(breaker.admits(1_000)).toBe(true);
  });

  it('holds no trial once it is closed or open again', () => {
    for (const outcome of ['succeeded', 'failed'] as const) {
      const { breaker, ledger, open } = stage({ ...policy, halfOpenTrials: 3 });
      open();
      const trials = [1, 2, 3].map(() => admitted(breaker, 1_000));
      for (const trial of trials) breaker.settle(trial, outcome, 1_000);
      expect(ledger.circuit.trials.total(0)).toBe(0);
      expect(ledger.circuitOf(0)).toBe(outcome === 'succeeded' ? 'closed' : 'open');
      expect(ledger.backendTotals(0).circuitOpened).toBe(outcome === 'succeeded' ? 1 : 2);
    }
  });

  it('counts a trial from before that is still under way', () => {
    const { breaker, open, dial } = stage({ ...policy, halfOpenTrials: 2 });
    open();
    const hanging = admitted(breaker, 1_000);
    dial('failed', 1_000);
    admitted(breaker, 3_000);
    expect([breaker.admits(3_000), breaker.admit(3_000)]).toEqual([false, undefined]);
    breaker.settle(hanging, 'succeeded', 3_000);
    expect(breaker.admits(3_000)).toBe(true);
  });

  it('says that it admits only where it does, with all trials still under way when its time is over', () => {
    const { breaker, ledger, open } = stage({ ...policy, halfOpenTrials: 2 });
    open();
    const [failing, hanging] = [admitted(breaker, 1_000), admitted(breaker, 1_000)];
    breaker.settle(failing, 'failed', 1_000);
    const single = new CircuitBreaker(ledger, 0, { ...policy, halfOpenTrials: 1 }, noJitter);
    expect([single.admits(3_000), single.admit(3_000)]).toEqual([false, undefined]);
    breaker.settle(hanging, 'abandoned', 3_000);
    expect(single.admits(3_000)).toBe(true);
  });

  it('ignores outcomes from before its last transition', () => {
    const { breaker, ledger, open } = stage();
    const [early, late] = [admitted(breaker, 0), admitted(breaker, 0)];
    open();
    breaker.settle(early, 'succeeded', 10);
    expect(ledger.circuitOf(0)).toBe('open');
    const trial = admitted(breaker, 1_000);
    breaker.settle(late, 'failed', 1_000);
    expect(ledger.circuitOf(0)).toBe('half-open');
    breaker.settle(trial, 'succeeded', 1_000);
    expect(ledger.circuitOf(0)).toBe('closed');
  });

  it('does not count old failures against a breaker that has closed again', () => {
    const { breaker, ledger, open, dial } = stage();
    const old = [1, 2, 3].map(() => admitted(breaker, 0));
    open();
    dial('succeeded', 1_000);
    for (const admission of old) breaker.settle(admission, 'failed', 1_000);
    expect(ledger.circuitOf(0)).toBe('closed');
  });

  it('opens once when many fail at the same time', () => {
    const { breaker, ledger } = stage();
    const dials = Array.from({ length: 10 }, () => admitted(breaker, 0));
    for (const admission of dials) breaker.settle(admission, 'failed', 0);
    expect(ledger.backendTotals(0).circuitOpened).toBe(1);
    expect(breaker.admits(1_000)).toBe(true);
  });

  it('knows nothing of its past once it was closed from outside', () => {
    const { breaker, ledger, open, dial } = stage({ ...policy, halfOpenTrials: 2 });
    open();
    dial('failed', 1_000);
    const [early, late] = [admitted(breaker, 3_000), admitted(breaker, 3_000)];
    ledger.closeCircuit(0);
    expect(breaker.admit(3_000)).toMatchObject({ trial: false });
    breaker.settle(early, 'failed', 3_000);
    expect(ledger.circuitOf(0)).toBe('closed');
    dial('failed', 3_000);
    dial('failed', 3_000);
    ledger.closeCircuit(0);
    breaker.settle(late, 'succeeded', 3_000);
    expect(ledger.circuit.trials.total(0)).toBe(0);
    dial('failed', 3_000);
    dial('failed', 3_000);
    expect(ledger.circuitOf(0)).toBe('closed');
    dial('failed', 3_000);
    expect([breaker.admits(3_999), breaker.admits(4_000)]).toEqual([false, true]);
  });

  it('keeps backends apart', () => {
    const { ledger, open } = stage();
    open();
    expect(ledger.circuitOf(1)).toBe('closed');
    expect(new CircuitBreaker(ledger, 1, policy, noJitter).admits(0)).toBe(true);
  });

  it('is one breaker for all workers', () => {
    const [one, other] = workers();
    settle(one.breaker, 'failed', 0);
    settle(other.breaker, 'failed', 0);
    settle(one.breaker, 'failed', 0);
    expect([one.breaker.admits(0), other.breaker.admits(0)]).toEqual([false, false]);
    const trial = admitted(other.breaker, 1_000);
    expect(one.breaker.admit(1_000)).toBeUndefined();
    other.breaker.settle(trial, 'succeeded', 1_000);
    expect(one.breaker.admit(1_000)).toMatchObject({ trial: false });
  });

  it('frees the trial of a worker that died', () => {
    const [dead, living] = workers();
    for (let turn = 0; turn < 3; turn++) settle(dead.breaker, 'failed', 0);
    admitted(dead.breaker, 1_000);
    expect(living.breaker.admits(1_000)).toBe(false);
    living.ledger.releaseAllOf(0);
    expect(living.breaker.admits(1_000)).toBe(true);
  });

  it('makes no trial of a session that comes between another worker’s trial and its failure', () => {
    const [slow, quick] = workers();
    for (let turn = 0; turn < 3; turn++) settle(slow.breaker, 'failed', 0);
    // The slow worker has seen that the time is over, and waits for the lock.
    overtake(slow.ledger, () => settle(quick.breaker, 'failed', 1_000));
    expect(slow.breaker.admit(1_000)).toBeUndefined();
    expect(slow.ledger.circuitOf(0)).toBe('open');
    expect(slow.ledger.circuit.trials.total(0)).toBe(0);
  });

  it('lets a session through that comes between another worker’s trial and its success', () => {
    const [slow, quick] = workers();
    for (let turn = 0; turn < 3; turn++) settle(slow.breaker, 'failed', 0);
    overtake(slow.ledger, () => settle(quick.breaker, 'succeeded', 1_000));
    expect(slow.breaker.admit(1_000)).toMatchObject({ trial: false });
    expect(slow.ledger.circuit.trials.total(0)).toBe(0);
  });

  it('does as its rules say, in any order of things and from any worker', () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ act: fc.constant('admit' as const), worker: fc.nat(1) }) },
      {
        weight: 3,
        arbitrary: fc.record({
          act: fc.constant('settle' as const),
          which: fc.nat(9),
          outcome: fc.constantFrom<DialOutcome>('succeeded', 'failed', 'failed', 'abandoned'),
        }),
      },
      { weight: 1, arbitrary: fc.record({ act: fc.constant('elapse' as const), ms: fc.nat(3_000) }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(step, { maxLength: 150 }),
        (halfOpenTrials, steps) => {
          const of = { ...policy, halfOpenTrials };
          const breakers = sharedLedgers(2).map((ledger) => new CircuitBreaker(ledger, 0, of, noJitter));
          const [breaker, other] = breakers;
          if (breaker === undefined || other === undefined) throw new Error('Expected two breakers');
          const model = new NaiveBreaker(of);
          const open: { worker: CircuitBreaker; real: BreakerPermit; naive: NaiveAdmission }[] = [];
          let nowMs = 0;
          for (const step of steps) {
            if (step.act === 'elapse') nowMs += step.ms;
            else if (step.act === 'admit') {
              const worker = step.worker === 0 ? breaker : other;
              expect(worker.admits(nowMs)).toBe(model.wouldAdmit(nowMs));
              const real = worker.admit(nowMs);
              const naive = model.admit(nowMs);
              expect(real === undefined).toBe(naive === undefined);
              if (real !== undefined && naive !== undefined) open.push({ worker, real, naive });
            } else {
              const [settled] = open.splice(step.which % Math.max(1, open.length), 1);
              if (settled === undefined) continue;
              settled.worker.settle(settled.real, step.outcome, nowMs);
              model.settle(settled.naive, step.outcome, nowMs);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

interface NaiveAdmission {
  readonly state: object;
  readonly trial: boolean;
}

/** The same rules with an object for each state: an outcome counts if the object is still the same. */
class NaiveBreaker {
  readonly #policy: CircuitBreakerPolicy;
  #state: { name: 'closed' | 'open' | 'half-open'; failures: number; untilMs: number } = {
    name: 'closed',
    failures: 0,
    untilMs: 0,
  };
  #lastsMs = 0;
  #trials = 0;

  constructor(policy: CircuitBreakerPolicy) {
    this.#policy = policy;
  }

  wouldAdmit(nowMs: number): boolean {
    if (this.#state.name === 'closed') return true;
    if (this.#state.name === 'open' && nowMs < this.#state.untilMs) return false;
    return this.#trials < this.#policy.halfOpenTrials;
  }

  admit(nowMs: number): NaiveAdmission | undefined {
    if (this.#state.name === 'closed') return { state: this.#state, trial: false };
    if (!this.wouldAdmit(nowMs)) return undefined;
    if (this.#state.name === 'open') this.#state = { name: 'half-open', failures: 0, untilMs: 0 };
    if (this.#trials >= this.#policy.halfOpenTrials) return undefined;
    this.#trials++;
    return { state: this.#state, trial: true };
  }

  settle({ state, trial }: NaiveAdmission, outcome: DialOutcome, nowMs: number): void {
    if (trial) this.#trials--;
    if (state !== this.#state || outcome === 'abandoned') return;
    if (outcome === 'succeeded') {
      if (trial) {
        this.#lastsMs = 0;
        this.#state = { name: 'closed', failures: 0, untilMs: 0 };
      } else this.#state.failures = 0;
      return;
    }
    this.#state.failures++;
    if (!trial && this.#state.failures < this.#policy.consecutiveFailures) return;
    const { openForMs, maxOpenForMs } = this.#policy;
    this.#lastsMs = Math.min(maxOpenForMs, this.#lastsMs === 0 ? openForMs : 2 * this.#lastsMs);
    this.#state = { name: 'open', failures: 0, untilMs: nowMs + this.#lastsMs };
  }
}

function stage(of = policy, random = noJitter) {
  const ledger = freshLedger();
  const breaker = new CircuitBreaker(ledger, 0, of, random);
  const dial = (outcome: DialOutcome, nowMs: number): void => settle(breaker, outcome, nowMs);
  const open = (nowMs = 0): void => {
    for (let turn = 0; turn < of.consecutiveFailures; turn++) dial('failed', nowMs);
  };
  return { ledger, breaker, dial, open };
}

function workers() {
  const [one, other] = sharedLedgers(2).map((ledger) => ({
    ledger,
    breaker: new CircuitBreaker(ledger, 0, policy, noJitter),
  }));
  if (one === undefined || other === undefined) throw new Error('Expected two workers');
  return [one, other] as const;
}

function settle(breaker: CircuitBreaker, outcome: DialOutcome, nowMs: number): void {
  breaker.settle(admitted(breaker, nowMs), outcome, nowMs);
}

function admitted(breaker: CircuitBreaker, nowMs: number): BreakerPermit {
  const admission = breaker.admit(nowMs);
  if (admission === undefined) throw new Error('Expected the breaker to let this one through');
  return admission;
}

/** Lets another thread act just before this ledger's next lock is taken. */
function overtake(ledger: Ledger, act: () => void): void {
  const { lock } = ledger;
  const acquire = lock.acquire.bind(lock);
  lock.acquire = () => {
    lock.acquire = acquire;
    act();
    acquire();
  };
}
