import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { coreNumbers } from '../../bench/stage/cores.ts';
import { occupied, parseCoreTicks } from '../../bench/stage/occupancy.ts';
import { family, usage } from '../../bench/stage/usage.ts';

describe('coreNumbers', () => {
  it('reads ranges and single cores', () => {
    expect(coreNumbers('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(coreNumbers('5')).toEqual([5]);
  });
});

describe('occupied', () => {
  const before = parseCoreTicks(
    'cpu  9 9 9 9\ncpu0 10 0 10 100 5 0 0 0 7 0\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 1',
  );
  const after = parseCoreTicks(
    'cpu  9 9 9 9\ncpu0 30 5 20 160 5 2 2 1 90 0\ncpu1 0 0 50 50 0 0 0 0 0 0\nintr 1',
  );

  it('counts interrupts and stolen time as busy, and no guest twice', () => {
    expect(occupied(before, after, [0])).toBeCloseTo(40 / 100);
  });

  it('takes all cores where none are named', () => {
    expect(occupied(before, after)).toBeCloseTo(90 / 200);
  });

  it('is nothing where no time went by', () => {
    expect(occupied(after, after)).toBe(0);
  });
});

describe.runIf(process.platform === 'linux')('usage', () => {
  it('knows the CPU time and the memory of a process', () => {
    const own = usage(process.pid);
    expect(own?.cpuNs).toBeGreaterThan(0);
    expect(own?.residentBytes).toBeGreaterThan(1_000_000);
    expect(own?.peakBytes).toBeGreaterThanOrEqual(own?.residentBytes ?? Number.NaN);
  });

  const burnt =
    'const { cpuUsage } = process; for (const since = cpuUsage(); cpuUsage(since).user < 300_000; );';

  it('remembers what a thread has used that is gone', async () => {
    const before = usage(process.pid)?.cpuNs ?? Number.NaN;
    await once(new Worker(burnt, { eval: true }), 'exit');
    // Half of it, as this process may have burnt the other half meanwhile, and ticks are coarse.
    expect((usage(process.pid)?.cpuNs ?? Number.NaN) - before).toBeGreaterThan(150e6);
  });

  it('remembers what a child has used that is gone', () => {
    const before = usage(process.pid);
    execFileSync(process.execPath, ['-e', burnt]);
    const after = usage(process.pid);
    expect((after?.cpuNs ?? Number.NaN) - (before?.cpuNs ?? Number.NaN)).toBeGreaterThan(250e6);
    expect(after?.userTicks).toBeGreaterThan(before?.userTicks ?? Number.NaN);
  });

  it('is unknown of a process that is gone', () => {
    // Greater than any pid can be (proc_sys_kernel(5): pid_max is at most 2^22).
    expect(usage(2 ** 22 + 1)).toBeUndefined();
    expect(family(2 ** 22 + 1)).toEqual([2 ** 22 + 1]);
  });
});
