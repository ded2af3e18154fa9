import { describe, expect, it } from 'vitest';
import type { Metric } from '../../bench/scenarios/scenario.ts';
import { summarise } from '../../bench/summary.ts';
import { cpu, measured, outcome } from './outcome.ts';

describe('summarise', () => {
  it('gives each subject the median and the range of each metric', () => {
    const samples = [1, 2, 9].map((rate, round) => measured('haproxy', round, { rate, cpu: 20 }));
    expect(summarise(outcome(['haproxy'], samples)).rows).toEqual([
      {
        subject: 'haproxy',
        figures: {
          rate: { median: 2, min: 1, max: 9, count: 3 },
          cpu: { median: 20, min: 20, max: 20, count: 3 },
        },
      },
    ]);
  });

  it('compares each subject with each other one that has the figure', () => {
    const samples = [
      measured('direct', 0, { rate: 40 }),
      measured('haproxy', 0, { rate: 20, cpu: 10 }),
      measured('nginx', 0, { rate: 10, cpu: 20 }),
    ];
    const comparison = summarise(outcome(['direct', 'haproxy', 'nginx'], samples)).comparisons.find(
      ({ metric }) => metric === cpu,
    );
    expect(comparison?.subjects).toEqual(['haproxy', 'nginx']);
    expect(comparison?.ratios.map((row) => row.map((ratio) => ratio?.median))).toEqual([
      [1, 0.5],
      [2, 1],
    ]);
  });

  it('says how much a setting adds to the first one of the same subject', () => {
    const added: Metric = { ...cpu, key: 'added', compared: false, added: 'cpu' };
    const samples = [20, 30].flatMap((cost, round) => [
      measured('nginx, off', round, { cpu: cost }),
      measured('nginx, on', round, { cpu: cost + 5 + round }),
    ]);
    const { scenario } = outcome([], []);
    const summary = summarise({
      scenario: { ...scenario, metrics: [cpu, added] },
      rows: [{ name: 'nginx, off' }, { name: 'nginx, on', base: 'nginx, off' }],
      samples,
    });
    expect(summary.rows.map(({ figures }) => figures['added'])).toEqual([
      undefined,
      { median: 5.5, min: 5, max: 6, count: 2 },
    ]);
    expect(summary.notes).toEqual([]);
  });

  it('compares nothing where there is one subject', () => {
    expect(summarise(outcome(['nginx'], [measured('nginx', 0, { rate: 1 })])).comparisons).toEqual([]);
  });

  it('says what limited the rate of each subject, and how busy those were whose load it was', () => {
    const samples = [
      measured('direct', 0, { rate: 1, cpu: 1 }, { loadSaturated: true, subjectBusy: 0.42 }),
      measured('haproxy', 0, { rate: 1, cpu: 1 }, { subjectBusy: 0.99 }),
      measured('nginx', 0, { rate: 1, cpu: 1 }),
    ];
    expect(summarise(outcome(['direct', 'haproxy', 'nginx'], samples)).notes).toEqual([
      expect.stringMatching(
        /direct: load, .*; haproxy: their own core; nginx: nothing\. Cores .* busy: direct 0\.42\.$/,
      ),
    ]);
  });

  it('says when other processes were busy', () => {
    const samples = [measured('nginx', 0, { rate: 1, cpu: 1 }, { strangersBusy: 0.7 })];
    expect(summarise(outcome(['nginx'], samples)).notes).toEqual([expect.stringContaining('0.7 cores')]);
  });

  it('leaves a failed round out of the figures and says why it failed', () => {
    const samples = [
      measured('nginx', 0, { rate: 5, cpu: 1 }),
      { subject: 'nginx', round: 1, failure: '3 errors beside 10 good units' },
    ];
    const summary = summarise(outcome(['nginx'], samples));
    expect(summary.rows[0]?.figures).toMatchObject({ rate: { count: 1 } });
    expect(summary.notes).toEqual(['nginx failed in round 2: 3 errors beside 10 good units']);
  });

  it('says which figures are not available on this system', () => {
    const samples = [measured('nginx', 0, { rate: 5, cpu: undefined })];
    expect(summarise(outcome(['nginx'], samples)).notes).toEqual([
      expect.stringContaining('Not available here: CPU'),
    ]);
  });
});
