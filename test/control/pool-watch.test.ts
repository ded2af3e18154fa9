import { pino } from 'pino';
import { expect, test } from 'vitest';
import { PoolWatch } from '../../src/control/pool-watch.ts';
import { circuitWords, healthWords } from '../../src/core/ledger/ledger.ts';
import type { BackendPlan, Plan, PoolPolicy } from '../../src/core/plan.ts';
import { backendPlan, freshLedger, poolPlan } from '../core/harness.ts';

function stage() {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line: string) => lines.push(JSON.parse(line)) },
  );
  const ledger = freshLedger('main');
  const time = { nowMs: 1_000 };
  const watch = new PoolWatch(ledger, logger, () => time.nowMs);
  const turn = (slot: number, health: (typeof healthWords)[number]): void => {
    ledger.health[slot] = healthWords.indexOf(health);
    watch.changed('app', { backend: `10.0.0.1:${9_000 + slot}`, detail: `It is ${health}` });
  };
  const circuit = (slot: number, state: (typeof circuitWords)[number]): void => {
    ledger.circuit.state[slot] = circuitWords.indexOf(state);
    watch.changed('app', { backend: `10.0.0.1:${9_000 + slot}`, detail: `It is ${state}` });
  };
  return { watch, turn, circuit, time, taken: () => lines.splice(0) };
}

function planOf(backends: readonly BackendPlan[], policy: Partial<PoolPolicy> = {}): Plan {
  return { listeners: [], pools: [poolPlan(backends, policy)] };
}

const two = [backendPlan(0), backendPlan(1)];

test('A pool is said to have no backend left when the last has gone, and one again when the first is back', () => {
  const { watch, turn, circuit, time, taken } = stage();
  watch.follow(planOf(two));
  turn(0, 'down');
  expect(taken()).toEqual([]);
  circuit(1, 'open');
  expect(taken()).toEqual([
    {
      level: 'warn',
      pool: 'app',
      backend: '10.0.0.1:9001',
      detail: 'It is open',
      why: '1 down, 1 circuit-open',
      msg: 'pool has no backend left',
    },
  ]);
  time.nowMs += 250;
  // A trial may fail.
  circuit(1, 'half-open');
  circuit(1, 'open');
  expect(taken()).toEqual([]);
  circuit(1, 'closed');
  const again = {
    level: 'info',
    pool: 'app',
    backend: '10.0.0.1:9001',
    detail: 'It is closed',
    afterMs: 250,
  };
  expect(taken()).toEqual([{ ...again, msg: 'pool has one again' }]);
  turn(0, 'up');
  expect(taken()).toEqual([]);
});

test('What the configuration or an operator has taken out is no backend either', () => {
  const { watch, taken } = stage();
  watch.follow(planOf([backendPlan(0, { weight: 0 }), backendPlan(1, { state: 'drain' })]));
  watch.follow(planOf([backendPlan(0, { weight: 0 }), backendPlan(1, { state: 'maint' })]));
  expect(taken()).toMatchObject([{ why: '2 drained', msg: 'pool has no backend left' }]);
  watch.follow(planOf(two));
  expect(taken()).toMatchObject([{ backend: '10.0.0.1:9000', msg: 'pool has one again' }]);
});

test('A pool without an address has no backend, and one that went is forgotten', () => {
  const { watch, taken } = stage();
  watch.follow(planOf([]));
  expect(taken()).toMatchObject([{ why: 'no address is known' }]);
  watch.follow({ listeners: [], pools: [] });
  watch.follow(planOf(two));
  expect(taken()).toEqual([]);
});

test('A pool in panic has those that are down', () => {
  const { watch, turn, circuit, taken } = stage();
  watch.follow(planOf(two, { panicThresholdPercent: 50 }));
  turn(0, 'down');
  turn(1, 'down');
  expect(taken()).toEqual([]);
  circuit(0, 'open');
  circuit(1, 'open');
  expect(taken()).toMatchObject([{ why: '2 circuit-open' }]);
});

test('A breaker that the pool has turned off refuses nobody', () => {
  const { watch, circuit, taken } = stage();
  watch.follow(planOf(two, { circuitBreaker: 'off' }));
  circuit(0, 'open');
  circuit(1, 'open');
  expect(taken()).toEqual([]);
});
