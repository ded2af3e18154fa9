import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ProbeTarget, Rhythm } from '../../../src/control/health/check.ts';
import { HealthProber } from '../../../src/control/health/prober.ts';
import { readable } from '../../../src/control/health/probes/failure.ts';
import type { Question } from '../../../src/control/health/question.ts';

const rhythm: Rhythm = { intervalMs: 1_000, timeoutMs: 200, rise: 2, fall: 3, jitterPercent: 0 };

function target(slot: number, changes: Partial<ProbeTarget> = {}): ProbeTarget {
  return {
    pool: 'app',
    poolSlot: 0,
    slot,
    backend: `10.0.0.1:${9000 + slot}`,
    question: asking(9000 + slot),
    rhythm,
    ...changes,
  };
}

function asking(port: number, host = '10.0.0.1'): Question {
  return {
    address: { host, port },
    isElsewhere: false,
    proxyProtocol: 'off',
    tls: 'off',
    asked: { type: 'connect' },
  };
}

/** A probe of each backend's port that ends as the test says; those that it says nothing of hang. */
function harness(random = () => 0.5) {
  const outcomes = new Map<number, 'pass' | Error>();
  const started: { readonly port: number; readonly atMs: number }[] = [];
  const log: string[] = [];
  let underWay = 0;
  const probe = async ({ address }: Question, signal: AbortSignal): Promise<void> => {
    const port = 'port' in address ? address.port : 0;
    started.push({ port, atMs: Date.now() });
    const outcome = outcomes.get(port);
    if (outcome instanceof Error) throw outcome;
    if (outcome === 'pass') return;
    underWay++;
    await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const prober = new HealthProber(
    {
      onCertificate: () => {},
      onResult: (of, pass, detail) => log.push(`${of.slot} ${pass ? 'passed' : `failed: ${detail}`}`),
      onTransition: (of, health) => log.push(`${of.slot} is ${health}`),
      onSkipped: (of, detail) => log.push(`${of.slot} skipped: ${detail}`),
    },
    { random, probe },
  );
  return { prober, outcomes, started, log, underWay: () => underWay };
}

describe('HealthProber', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('probes the first backend at once and spreads a pool over one interval', async () => {
    const { prober, started } = harness();
    prober.update(Array.from({ length: 40 }, (_, slot) => target(slot)));
    await vi.advanceTimersByTimeAsync(999);
    expect(started.map(({ atMs }) => atMs)).toEqual(Array.from({ length: 40 }, (_, index) => index * 25));
    prober.close();
  });

  it('spreads each pool by itself', async () => {
    const { prober, started } = harness();
    prober.update([target(0), target(1, { pool: 'api' })]);
    await vi.advanceTimersByTimeAsync(0);
    expect(started).toHaveLength(2);
    prober.close();
  });

  it('probes again an interval after the last start, up or down', async () => {
    const { prober, outcomes, started } = harness();
    outcomes.set(9000, new Error('Connection refused'));
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(started.map(({ atMs }) => atMs)).toEqual([0, 1_000, 2_000, 3_000]);
    prober.close();
  });

  it.each([
    { chance: 0, waitMs: 900 },
    { chance: 1, waitMs: 1_100 },
  ])('makes the wait longer or shorter by the jitter at most: $waitMs ms', async ({ chance, waitMs }) => {
    const { prober, outcomes, started } = harness(() => chance);
    outcomes.set(9000, 'pass');
    prober.update([target(0, { rhythm: { ...rhythm, jitterPercent: 10 } })]);
    await vi.advanceTimersByTimeAsync(waitMs);
    expect(started.map(({ atMs }) => atMs)).toEqual([0, waitMs]);
    prober.close();
  });

  it('tells of results and of transitions, the first result at once', async () => {
    const { prober, outcomes, log } = harness();
    outcomes.set(9000, 'pass');
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(0);
    outcomes.set(9000, new Error('Connection refused'));
    await vi.advanceTimersByTimeAsync(3_000);
    outcomes.set(9000, 'pass');
    await vi.advanceTimersByTimeAsync(2_000);
    const failed = '0 failed: Connection refused';
    const expected = [
      '0 passed',
      '0 is up',
      failed,
      failed,
      failed,
      '0 is down',
      '0 passed',
      '0 passed',
      '0 is up',
    ];
    expect(log).toEqual(expected);
    prober.close();
  });

  it('fails a probe that outlives its timeout', async () => {
    const { prober, log } = harness();
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(201);
    expect(log).toEqual(['0 failed: Timed out after 200 ms', '0 is down']);
    prober.close();
  });

  it('has one probe under way for a backend, though the timeout is longer than the interval', async () => {
    const { prober, started } = harness();
    prober.update([target(0, { rhythm: { ...rhythm, timeoutMs: 2_500 } })]);
    await vi.advanceTimersByTimeAsync(2_499);
    expect(started).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(3);
    expect(started).toHaveLength(2);
    prober.close();
  });

  it('blames no backend for what this process ran out of', async () => {
    const { prober, outcomes, log } = harness();
    outcomes.set(9000, readable(Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' })));
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(log).toHaveLength(6);
    expect(new Set(log)).toEqual(new Set(['0 skipped: This process has no file descriptor left']));
    prober.close();
  });

  it('keeps state and schedule of what an update does not change', async () => {
    const { prober, outcomes, started, log } = harness();
    for (const port of [9000, 9001]) outcomes.set(port, 'pass');
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(300);
    log.length = 0;
    prober.update([structuredClone(target(0)), target(1)]);
    await vi.advanceTimersByTimeAsync(800);
    expect(started.filter(({ port }) => port === 9000).map(({ atMs }) => atMs)).toEqual([0, 1_000]);
    expect(started.filter(({ port }) => port === 9001).map(({ atMs }) => atMs)).toEqual([300]);
    expect(log).toEqual(['1 passed', '1 is up', '0 passed']);
    prober.close();
  });

  it('starts afresh where it is another backend, or asked something else', async () => {
    const { prober, outcomes, log } = harness();
    for (const port of [9000, 9100]) outcomes.set(port, 'pass');
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(0);
    prober.update([target(0, { question: { ...asking(9000), proxyProtocol: 'v2' } })]);
    await vi.advanceTimersByTimeAsync(0);
    prober.update([target(0, { question: asking(9100, '10.0.0.2') })]);
    await vi.advanceTimersByTimeAsync(0);
    expect(log.filter((line) => line === '0 is up')).toHaveLength(3);
    prober.close();
  });

  it.each<[string, Partial<Rhythm>]>([
    ['interval', { intervalMs: 900 }],
    ['timeout', { timeoutMs: 100 }],
    ['rise', { rise: 1 }],
    ['jitter', { jitterPercent: 20 }],
  ])('keeps what it knows where another %s is asked for', async (_what, changes) => {
    const { prober, outcomes, log } = harness();
    outcomes.set(9000, new Error('Connection refused'));
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(500);
    log.length = 0;
    prober.update([target(0, { rhythm: { ...rhythm, ...changes } })]);
    await vi.advanceTimersByTimeAsync(600);
    expect(log).toEqual(['0 failed: Connection refused']);
    prober.close();
  });

  it('goes over to another interval, and spreads what that makes late', async () => {
    const { prober, outcomes, started } = harness();
    for (const port of [9000, 9001, 9002]) outcomes.set(port, 'pass');
    const slow = { ...rhythm, intervalMs: 60_000 };
    prober.update([0, 1, 2].map((slot) => target(slot, { rhythm: slow })));
    await vi.advanceTimersByTimeAsync(30_000);
    started.length = 0;
    prober.update([0, 1, 2].map((slot) => target(slot)));
    await vi.advanceTimersByTimeAsync(999);
    // The first two are overdue and wait for their share of the interval, as the third does, which had far to go.
    expect(started.map(({ port, atMs }) => [port, atMs])).toEqual([
      [9000, 30_500],
      [9001, 30_500],
      [9002, 30_500],
    ]);
    prober.close();
  });

  it('throws the result of a removed backend away', async () => {
    const { prober, log, underWay } = harness();
    prober.update([target(0)]);
    await vi.advanceTimersByTimeAsync(100);
    expect(underWay()).toBe(1);
    prober.update([]);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(log).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('leaves no timer behind when it is closed', async () => {
    const { prober, outcomes } = harness();
    outcomes.set(9000, 'pass');
    prober.update([target(0), target(1), target(2)]);
    await vi.advanceTimersByTimeAsync(400);
    prober.close();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
