import { describe, expect, it } from 'vitest';
import { commandOf, type Environment } from '../../bench/environment.ts';
import { withFigures } from '../../bench/report/pages.ts';
import { poster } from '../../bench/report/poster.ts';
import { readme } from '../../bench/report/readme.ts';
import { type Result, type Results, selected } from '../../bench/report/results.ts';
import type { Metric } from '../../bench/scenarios/scenario.ts';
import { summarise } from '../../bench/summary.ts';
import { cpu, measured, outcome, rate } from './outcome.ts';

const cores = { haproxy: 1, 'sluice-uring': 1, 'haproxy-2': 2, 'sluice-uring-2': 2, direct: 1 };
const names = Object.keys(cores);

const environment: Environment = {
  date: '2026-01-02T03:04:05.678Z',
  command: 'npm run bench -- --rounds 2',
  cpu: 'Some CPU',
  cores: 2,
  memoryMib: 1,
  kernel: 'Linux 6.1.2-some-build',
  node: 'v20.19.0',
  pinning: 'none',
  missing: [],
  cpuAccounting: '/proc',
  subjects: Object.entries(cores).map(([name, count]) => ({
    name,
    about: '',
    version: name.startsWith('haproxy') ? '2.6.12-1+deb12u4' : '-',
    cores: count,
  })),
};

const metrics: readonly Metric[] = [
  { ...rate, headline: 'requests per second' },
  { ...cpu, headline: 'CPU per request (µs)' },
];

function keepalive(loadSaturated = false): Result {
  const samples = names.flatMap((name, index) =>
    [0, 1].map((round) =>
      measured(
        name,
        round,
        { rate: 12_345, ...(name !== 'direct' && { cpu: 10 + 10 * index + round }) },
        { loadSaturated },
      ),
    ),
  );
  const { scenario, rows } = outcome(names, samples);
  return { ...summarise({ scenario: { ...scenario, metrics }, rows, samples }), samples };
}

const results: Results = { environment, scenarios: [keepalive()] };
const linesOf = (text: string): readonly string[] => text.split('\n');

describe('readme', () => {
  it('says when, how and where it was measured, and names each peer once', () => {
    expect(readme(results)).toContain(
      'Measured on 2 January 2026 with `npm run bench -- --rounds 2`: Some CPU, 2 cores, Linux 6.1, Node 20.19.0, haproxy 2.6.12.',
    );
  });

  it('has a table for each number of cores, with ratios to the peers that have as many', () => {
    const heads = linesOf(readme(results)).filter((line) => line.startsWith('|  |'));
    expect(heads).toEqual([
      '|  | haproxy | sluice-uring | direct | sluice-uring ÷ haproxy |',
      '|  | haproxy-2 | sluice-uring-2 | sluice-uring-2 ÷ haproxy-2 |',
    ]);
  });

  it('gives medians with three digits and ratios with their range', () => {
    const lines = linesOf(readme(results));
    expect(lines).toContain('| CPU per request (µs) | 10.5 | 20.5 |  | 1.95 (1.91–2.00) |');
    expect(lines).toContain('| requests per second | 12,300 | 12,300 | 12,300 | 1.00 (1.00–1.00) |');
  });

  it('marks the rates that the load could not exceed, and no other figure', () => {
    const text = readme({ environment, scenarios: [keepalive(true)] });
    expect(text).toContain(
      '| requests per second | 12,300\\* | 12,300\\* | 12,300\\* | 1.00\\* (1.00–1.00) |',
    );
    expect(text).toContain('| 10.5 | 20.5 |');
    expect(text).toContain('\n\\* Load and backend were at their limit');
    expect(readme(results)).not.toContain('\\*');
  });

  it('has a table of its own for what settings add', () => {
    const added: Metric = { ...cpu, key: 'added', title: 'added', compared: false, added: 'cpu' };
    const samples = [0, 1].flatMap((round) => [
      measured('haproxy, off', round, { cpu: 20 }),
      measured('haproxy, on', round, { cpu: 25 + round }),
    ]);
    const { scenario } = outcome([], []);
    const rows = [{ name: 'haproxy, off' }, { name: 'haproxy, on', base: 'haproxy, off' }];
    const summary = summarise({ scenario: { ...scenario, metrics: [cpu, added] }, rows, samples });
    const lines = linesOf(readme({ environment, scenarios: [{ ...summary, samples }] }));
    expect(lines).toContain('| haproxy, off | 20 |  |');
    expect(lines).toContain('| haproxy, on | 25.5 | 5.5 (5 to 6) |');
  });
});

describe('selected', () => {
  it('keeps the subjects that are named, in the order of their names', () => {
    const { environment: where, scenarios } = selected(results, undefined, ['sluice-uring', 'haproxy']);
    expect(where.subjects.map(({ name }) => name)).toEqual(['sluice-uring', 'haproxy']);
    expect(scenarios[0]?.rows.map(({ subject }) => subject)).toEqual(['sluice-uring', 'haproxy']);
    expect(new Set(scenarios[0]?.samples.map(({ subject }) => subject))).toEqual(
      new Set(['haproxy', 'sluice-uring']),
    );
  });

  it('keeps a subject in all of its settings', () => {
    const samples = [measured('haproxy, on', 0, { cpu: 1 }), measured('nginx, on', 0, { cpu: 1 })];
    const { scenario } = outcome([], []);
    const rows = [{ name: 'haproxy, on' }, { name: 'nginx, on' }];
    const result = { ...summarise({ scenario, rows, samples }), samples };
    const { scenarios } = selected({ environment, scenarios: [result] }, undefined, ['haproxy']);
    expect(scenarios[0]?.rows.map(({ subject }) => subject)).toEqual(['haproxy, on']);
  });

  it('keeps the scenarios that are named, and everything without names', () => {
    expect(selected(results, ['connect'], undefined).scenarios).toEqual([]);
    expect(selected(results, undefined, undefined)).toEqual(results);
  });
});

describe('poster', () => {
  it('has a panel with a bar for each subject that has the figure', () => {
    const svg = poster([keepalive()]) ?? '';
    expect(svg.match(/class="title"/g)).toHaveLength(1);
    expect(svg).toContain('CPU per request (µs)');
    expect(svg.match(/class="label"/g)).toHaveLength(names.length - 1);
  });

  it('stands by itself', () => {
    const svg = poster([keepalive()]) ?? '';
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    expect(svg).not.toMatch(/href=|url\(|@import|<script/);
  });

  it('is nothing where nothing of it was measured', () => {
    expect(poster([{ ...keepalive(), name: 'decisions' }])).toBeUndefined();
  });
});

describe('commandOf', () => {
  it('leaves out where the results went', () => {
    expect(
      commandOf(['--rounds', '6', '--out', '/results', '--scenario', 'idle', '--into', 'README.md']),
    ).toBe('npm run bench -- --rounds 6 --scenario idle');
    expect(commandOf(['--readme', 'docs'])).toBe('npm run bench');
  });
});

describe('withFigures', () => {
  const page = (name: string, text = '') =>
    `# Page\n\n<!-- bench ${name} -->\n${text}<!-- /bench -->\n\nMore\n`;

  it('writes the figures of each run where the page has a place for them', () => {
    const written = withFigures(page('figures'), [results, results]);
    expect(written).toBe(page('figures', `\n${readme(results)}\n${readme(results)}\n`));
  });

  it('writes what sluice takes beside HAProxy into a summary', () => {
    expect(withFigures(page('summary'), [results])).toContain(
      '| CPU per request (µs) | 20.5 | 1.95 (1.91–2.00) |',
    );
  });

  it('takes the place of earlier figures', () => {
    const once = withFigures(page('summary'), [results]);
    expect(withFigures(once, [results])).toBe(once);
    expect(withFigures(page('summary', 'old\n'), [results])).toBe(once);
  });

  it('refuses a page that has no place for figures, or for others', () => {
    expect(() => withFigures('# Page\n', [results])).toThrow('<!-- bench figures -->');
    expect(() => withFigures(page('figure'), [results])).toThrow('"figure"');
  });
});
