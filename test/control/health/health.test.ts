import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { parseConfig } from '../../../src/config/load.ts';
import { HealthWatch } from '../../../src/control/health/health.ts';
import { readable } from '../../../src/control/health/probes/failure.ts';
import type { Question } from '../../../src/control/health/question.ts';
import { expand, Planner } from '../../../src/control/planner.ts';
import type { AdminState } from '../../../src/core/admin-state.ts';
import { Ledger, type LedgerCapacity } from '../../../src/core/ledger/ledger.ts';

const capacity: LedgerCapacity = {
  workers: 1,
  listeners: 2,
  pools: 2,
  backends: 8,
  clients: 16,
  splits: 1,
};

function configOf(healthCheck: string, backends = '10.0.0.1:9000'): Config {
  const result = parseConfig(
    `version: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: [${backends}], slowStart: 60s, healthCheck: ${healthCheck} } }
`,
    { file: '/sluice.yaml', env: {}, readFile: () => '' },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return result.config;
}

function harness() {
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
  const planner = new Planner(ledger);
  const outcomes = new Map<number, Error>();
  const log: string[] = [];
  const probe = async ({ address }: Question): Promise<void> => {
    const outcome = outcomes.get('port' in address ? address.port : 0);
    if (outcome !== undefined) throw outcome;
  };
  const watch = new HealthWatch(
    ledger,
    {
      now: () => 1_000 + Date.now(),
      onResult: () => {},
      onTransition: ({ backend }, health) => log.push(`${backend} is ${health}`),
      onChecksBlocked: (_target, detail) => log.push(detail),
      onChecksResumed: () => log.push('on again'),
    },
    { probe, random: () => 0.5 },
  );
  const follow = (config: Config, state: AdminState = 'ready'): void => {
    const pools = expand(config, (target) =>
      target.kind === 'address' ? [{ address: target.address }] : [],
    );
    const inState = pools.map((pool) => ({
      ...pool,
      backends: pool.backends.map((one) => ({ ...one, state })),
    }));
    watch.follow(config, planner.plan(config, inState));
  };
  return { ledger, outcomes, log, follow, watch };
}

const down = new Error('Connection refused');
const exhausted = readable(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' }));

describe('HealthWatch', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('has a backend down as long as its agent says so, and up only where its checks agree', async () => {
    const { ledger, outcomes, log, follow, watch } = harness();
    const target = { pool: 'app', backend: '10.0.0.1:9000', slot: 0 };
    follow(configOf('{ type: http, interval: 1s, rise: 1, fall: 1, jitter: 0% }'));
    await vi.advanceTimersByTimeAsync(100);
    watch.agentSays(target, 'up', 'up');
    expect(log).toEqual(['10.0.0.1:9000 is up']);
    watch.agentSays(target, 'down', 'down #full disk');
    await vi.advanceTimersByTimeAsync(5_000);
    expect([ledger.healthOf(0), log.splice(0)]).toEqual([
      'down',
      ['10.0.0.1:9000 is up', '10.0.0.1:9000 is down'],
    ]);
    outcomes.set(9000, down);
    await vi.advanceTimersByTimeAsync(1_000);
    watch.agentSays(target, 'up', 'up');
    expect(ledger.healthOf(0)).toBe('down');
    outcomes.delete(9000);
    await vi.advanceTimersByTimeAsync(1_000);
    expect([ledger.healthOf(0), log]).toEqual(['up', ['10.0.0.1:9000 is up']]);
    watch.close();
  });

  it('forgets what an agent has said that is asked no longer', async () => {
    const { ledger, follow, watch } = harness();
    const target = { pool: 'app', backend: '10.0.0.1:9000', slot: 0 };
    follow(configOf('{ type: http, interval: 1s }'));
    await vi.advanceTimersByTimeAsync(100);
    watch.agentSays(target, 'down', 'down');
    watch.forgetAgent(0);
    expect(ledger.healthOf(0)).toBe('up');
    watch.close();
  });

  it.each([
    '{ type: http, interval: 7s }',
    '{ type: http, timeout: 9s }',
    '{ type: http, rise: 4, fall: 1 }',
    '{ type: http, jitter: 50% }',
  ])('forgets neither health nor slow start over a reload to %s', async (changed) => {
    const { ledger, outcomes, log, follow, watch } = harness();
    outcomes.set(9000, down);
    follow(configOf('{ type: http, interval: 1s, jitter: 0%, rise: 1 }', '10.0.0.1:9000, 10.0.0.1:9001'));
    await vi.advanceTimersByTimeAsync(600);
    expect([0, 1].map((slot) => ledger.healthOf(slot))).toEqual(['down', 'up']);
    outcomes.set(9001, down);
    await vi.advanceTimersByTimeAsync(3_000);
    outcomes.clear();
    await vi.advanceTimersByTimeAsync(1_000);
    outcomes.set(9000, down);
    await vi.advanceTimersByTimeAsync(3_000);
    const recoveredMs = ledger.recoveredMs[1];
    expect([0, 1].map((slot) => ledger.healthOf(slot))).toEqual(['down', 'up']);
    expect(recoveredMs).toBeGreaterThan(0);

    log.length = 0;
    follow(configOf(changed, '10.0.0.1:9000, 10.0.0.1:9001'));
    expect([0, 1].map((slot) => ledger.healthOf(slot))).toEqual(['down', 'up']);
    await vi.advanceTimersByTimeAsync(8_000);
    expect([0, 1].map((slot) => ledger.healthOf(slot))).toEqual(['down', 'up']);
    expect(ledger.recoveredMs[1]).toBe(recoveredMs);
    expect(log).toEqual([]);
    watch.close();
  });

  it('counts how long checks took, and knows since when a backend is up or down', async () => {
    const { ledger, outcomes, follow, watch } = harness();
    outcomes.set(9000, down);
    follow(configOf('{ type: tcp, interval: 1s, jitter: 0%, rise: 1 }'));
    expect(ledger.healthSinceMs[0]).toBe(1_000);
    await vi.advanceTimersByTimeAsync(500);
    outcomes.delete(9000);
    await vi.advanceTimersByTimeAsync(2_000);
    expect([ledger.healthOf(0), ledger.healthSinceMs[0]]).toEqual(['up', 2_000]);
    expect(ledger.checkDuration.read(0).counts.reduce((sum, count) => sum + count)).toBe(3);
    watch.close();
  });

  it.each([
    '{ type: tcp }',
    '{ type: http, path: /ready }',
    '{ type: http, method: HEAD }',
    '{ type: http, host: app.internal }',
    '{ type: http, expectStatus: [503] }',
    '{ type: http, port: 8081 }',
    '{ type: https }',
    '{ type: http, proxyProtocol: v2 }',
  ])('knows nothing of a backend that it asks something else: %s', async (changed) => {
    const { ledger, outcomes, follow, watch } = harness();
    outcomes.set(9000, down);
    follow(configOf('{ type: http }'));
    await vi.advanceTimersByTimeAsync(0);
    expect(ledger.healthOf(0)).toBe('down');
    follow(configOf(changed));
    expect(ledger.healthOf(0)).toBe('unknown');
    watch.close();
  });

  it('says once that checks cannot be made, and once that they are again; the verdicts stand meanwhile', async () => {
    const { ledger, outcomes, log, follow, watch } = harness();
    const ports = [9000, 9001, 9002];
    outcomes.set(9001, down);
    const backends = ports.map((port) => `10.0.0.1:${port}`).join(', ');
    follow(configOf('{ type: tcp, interval: 1s, jitter: 0% }', backends));
    await vi.advanceTimersByTimeAsync(900);
    const verdicts = ['up', 'down', 'up'];
    expect(ports.map((_, slot) => ledger.healthOf(slot))).toEqual(verdicts);

    log.length = 0;
    for (const port of ports) outcomes.set(port, exhausted);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(log).toEqual(['This process has no file descriptor left']);
    expect(ports.map((_, slot) => ledger.healthOf(slot))).toEqual(verdicts);

    outcomes.delete(9000);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(log).toHaveLength(1);
    outcomes.delete(9002);
    // A backend that has gone is not waited for.
    follow(configOf('{ type: tcp, interval: 1s, jitter: 0% }', '10.0.0.1:9000, 10.0.0.1:9002'));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(log).toEqual(['This process has no file descriptor left', 'on again']);
    watch.close();
  });

  it('says it once for checks and agents, and waits for no agent that is forgotten', async () => {
    const { outcomes, log, follow, watch } = harness();
    outcomes.set(9000, exhausted);
    follow(configOf('{ type: tcp, interval: 1s, jitter: 0% }'));
    const name = { pool: 'app', backend: '10.0.0.1:9000' };
    for (const slot of [0, 1]) watch.agentSkipped({ ...name, slot }, 'No descriptor for an agent');
    await vi.advanceTimersByTimeAsync(1_500);
    expect(log).toEqual(['No descriptor for an agent']);

    outcomes.delete(9000);
    await vi.advanceTimersByTimeAsync(1_000);
    watch.agentAsked(0);
    expect(log).toEqual(['No descriptor for an agent', '10.0.0.1:9000 is up']);
    watch.forgetAgent(1);
    expect(log.at(-1)).toBe('on again');
    watch.close();
  });

  it('leaves a backend in maintenance alone, and has it pass a check and start slowly when it returns', async () => {
    const { ledger, outcomes, log, follow, watch } = harness();
    const config = configOf('{ type: tcp, interval: 1s, jitter: 0%, rise: 3 }');
    follow(config);
    await vi.advanceTimersByTimeAsync(100);
    expect(ledger.healthOf(0)).toBe('up');

    outcomes.set(9000, down);
    follow(config, 'maint');
    log.length = 0;
    await vi.advanceTimersByTimeAsync(10_000);
    expect([ledger.healthOf(0), log]).toEqual(['unknown', []]);

    follow(config);
    expect(ledger.healthOf(0)).toBe('down');
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ledger.healthOf(0)).toBe('down');
    outcomes.clear();
    await vi.advanceTimersByTimeAsync(4_000);
    expect(ledger.healthOf(0)).toBe('up');
    expect(ledger.recoveredMs[0]).toBeGreaterThan(0);
    watch.close();
  });

  it('checks a backend that is only drained as before', async () => {
    const { ledger, outcomes, follow, watch } = harness();
    const config = configOf('{ type: tcp, interval: 1s, jitter: 0%, fall: 1 }');
    follow(config);
    await vi.advanceTimersByTimeAsync(100);
    follow(config, 'drain');
    expect(ledger.healthOf(0)).toBe('up');
    outcomes.set(9000, down);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(ledger.healthOf(0)).toBe('down');
    watch.close();
  });
});
