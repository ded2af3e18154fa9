import { describe, expect, it } from 'vitest';
import type { Environment } from '../../bench/environment.ts';
import { range, ratioText, short } from '../../bench/report/figures.ts';
import { htmlReport } from '../../bench/report/html.ts';
import { table } from '../../bench/report/table.ts';
import { summarise } from '../../bench/summary.ts';
import { measured, outcome } from './outcome.ts';

const names = ['direct', 'node-pipe', 'sluice-portable', 'haproxy', 'nginx', 'haproxy-splice', 'nginx-2'];
const samples = names.flatMap((name, index) =>
  [0, 1, 2].map((round) =>
    measured(name, round, {
      rate: 10_000 + index * 1_000 + round,
      cpu: 20 + index + round / 10,
      user: 5,
      system: 15,
    }),
  ),
);
const summary = summarise(outcome(names, samples));

describe('short', () => {
  it.each([
    [0, '0'],
    [0.1234, '0.123'],
    [1.239, '1.24'],
    [12.34, '12.3'],
    [99.96, '100'],
    [999.4, '999'],
    [999.6, '1.00k'],
    [14_213, '14.2k'],
    [999_600, '1.00M'],
    [-43.21, '-43.2'],
  ])('writes %d as %s', (value, text) => {
    expect(short(value)).toBe(text);
  });
});

describe('range', () => {
  it('has one end where both read the same', () => {
    expect(range({ median: 2, min: 2.0001, max: 2.0002, count: 2 })).toBe('2.00');
    expect(range({ median: 2, min: 1, max: 3, count: 2 })).toBe('1.00–3.00');
  });
});

describe('ratioText', () => {
  it('has no range of a single round', () => {
    expect(ratioText({ median: 0.5, min: 0.5, max: 0.5, count: 1 })).toBe('0.50');
    expect(ratioText({ median: 0.5, min: 0.4, max: 0.6, count: 3 })).toBe('0.50 0.40–0.60');
  });
});

describe('table', () => {
  const lines = table(summary).split('\n');

  it('stays within 100 columns, however many subjects there are', () => {
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(100);
  });

  it('has a line of medians and a line of ranges for each subject', () => {
    const median = lines.findIndex((line) => /^haproxy .*13\.0k/.test(line));
    expect(median).toBeGreaterThan(0);
    expect(lines[median + 1]).toContain('23.0–23.2');
  });

  it('gives the ratio of each subject to each other one', () => {
    const ratios = lines.filter((line) => line.includes('÷'));
    for (const name of names) expect(ratios.some((line) => line.includes(name))).toBe(true);
  });
});

describe('htmlReport', () => {
  const where: Environment = {
    date: '2026-01-02T03:04:05.678Z',
    command: 'npm run bench',
    cpu: 'Some <fast> & "quiet" CPU',
    cores: 2,
    memoryMib: 1,
    kernel: 'Linux 6.1',
    node: 'v20.19.0',
    pinning: 'none',
    missing: ['Without haproxy: haproxy is not installed'],
    cpuAccounting: '/proc',
    subjects: [
      {
        name: 'nginx',
        about: 'nginx stream',
        version: '1.22',
        cores: 1,
        config: 'stream { listen <port>; }',
      },
    ],
  };
  const html = htmlReport(where, [summary]);

  it('needs nothing but itself', () => {
    expect(html).not.toMatch(/<script|<link|@import|url\(|(src|href)="(?!#)/);
  });

  it('says which subjects are missing', () => {
    expect(html).toContain('Without haproxy: haproxy is not installed');
  });

  it('escapes what it did not write itself', () => {
    expect(html).toContain('Some &lt;fast&gt; &amp; &quot;quiet&quot; CPU');
    expect(html).toContain('listen &lt;port&gt;');
  });

  it('has a chart with a bar for each subject for each metric that is compared', () => {
    const charts = html.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
    expect(charts).toHaveLength(2);
    for (const svg of charts) expect(svg.match(/class="label"/g)).toHaveLength(names.length);
  });
});
