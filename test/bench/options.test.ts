import { describe, expect, it } from 'vitest';
import { readOptions } from '../../bench/options.ts';
import { scenarios } from '../../bench/scenarios/index.ts';
import { defaultSubjects, subjects } from '../../bench/subjects/index.ts';

const read = (...args: string[]) => readOptions(args, { scenarios, subjects, defaultSubjects });

describe('readOptions', () => {
  it('runs everything by default', () => {
    expect(read()).toMatchObject({
      scenarios,
      subjects: defaultSubjects,
      rounds: 3,
      seconds: 2,
      readme: undefined,
      into: [],
      from: [],
      action: 'run',
    });
  });

  it('measures nothing where it reports on earlier runs', () => {
    expect(read('--from', 'a.json, b.json', '--readme', 'docs')).toMatchObject({
      from: ['a.json', 'b.json'],
      readme: 'docs',
      action: 'report',
    });
    expect(read('--from', 'a.json', '--into', 'README.md,docs/page.md').into).toEqual([
      'README.md',
      'docs/page.md',
    ]);
  });

  it('takes names in the order given, each once', () => {
    const { subjects: chosen } = read('--subjects', 'nginx, direct,nginx');
    expect(chosen.map(({ name }) => name)).toEqual(['nginx', 'direct']);
  });

  it('knows subjects that do not run by default', () => {
    expect(read('--subjects', 'haproxy-2').subjects[0]?.cores).toBe(2);
  });

  it.each([
    [['--scenario', 'keepalvie'], 'Unknown scenario "keepalvie", expected one of keepalive'],
    [['--subjects', ''], 'Unknown subject ""'],
    [['--rounds', '0'], 'Expected --rounds to be a number from 1 to 1000, found "0"'],
    [['--rounds', '1.5'], 'found "1.5"'],
    [['--duration', 'x'], 'Expected --duration'],
    [['--durations', '1'], "Unknown option '--durations'"],
    [['extra'], 'Unexpected argument'],
  ])('refuses %j', (args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});

describe('the tables of subjects and scenarios', () => {
  it('have each name once', () => {
    for (const table of [subjects, scenarios]) {
      expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    }
  });
});
