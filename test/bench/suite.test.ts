import { describe, expect, it } from 'vitest';
import { scenarios } from '../../bench/scenarios/index.ts';
import { subjects } from '../../bench/subjects/index.ts';
import type { Setting } from '../../bench/subjects/subject.ts';
import { contendersOf } from '../../bench/suite.ts';
import { outcome } from './outcome.ts';

const { scenario } = outcome([], []);
const names = (settings?: readonly Setting[]): readonly string[] =>
  contendersOf({ ...scenario, ...(settings && { settings }) }, { subjects }).map(({ name }) => name);

describe('contendersOf', () => {
  it('has every subject once where the scenario has no settings', () => {
    expect(names()).toEqual(subjects.map(({ name }) => name));
  });

  it('leaves out a subject that lacks the skill for a setting', () => {
    expect(names([{ tls: true }])).toEqual(
      subjects.map(({ name }) => name).filter((name) => name !== 'floor'),
    );
    expect(names([{ sniRules: 10 }])).not.toContain('node-pipe');
    expect(names([{ sniRules: 10 }])).toContain('nginx');
    expect(names([{}, { sessionLog: true }]).every((name) => name.startsWith('sluice'))).toBe(true);
  });

  it('has a subject in each of several settings, based on the first', () => {
    const settings = [
      { name: 'off', sessionLog: false },
      { name: 'on', sessionLog: true },
    ];
    const chosen = subjects.filter(({ name }) => name === 'sluice-uring');
    const contenders = contendersOf({ ...scenario, settings }, { subjects: chosen });
    expect(contenders.map(({ name, base, setting }) => ({ name, base, log: setting.sessionLog }))).toEqual([
      { name: 'sluice-uring, off', base: undefined, log: false },
      { name: 'sluice-uring, on', base: 'sluice-uring, off', log: true },
    ]);
  });
});

describe('the fixed rate', () => {
  const rehearsal = scenarios.find(({ name }) => name === 'fixed-rate')?.rehearsal;
  const named = (...wanted: string[]) => subjects.filter(({ name }) => wanted.includes(name));

  it('is set by HAProxy alone where it takes part', () => {
    expect(rehearsal?.of(named('direct', 'haproxy', 'haproxy-2', 'nginx'))).toEqual(named('haproxy'));
  });

  it('is set by all subjects where HAProxy is missing', () => {
    expect(rehearsal?.of(named('direct', 'nginx'))).toEqual(named('direct', 'nginx'));
  });
});
