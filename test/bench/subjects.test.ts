import { describe, expect, it } from 'vitest';
import { subjects } from '../../bench/subjects/index.ts';
import { type Setting, serverName, sniNames } from '../../bench/subjects/subject.ts';

const configs = (setting: Setting): Map<string, string> =>
  new Map(
    subjects.flatMap(({ name, launch }) => {
      const launched = launch?.({
        listenPort: 8080,
        backendPort: 9000,
        directory: '/bench',
        setting,
        ...(setting.tls && { certificate: { cert: '/cert.pem', key: '/key.pem', bundle: '/bundle.pem' } }),
      });
      return launched?.config === undefined ? [] : [[name, launched.config.text] satisfies [string, string]];
    }),
  );

describe('sniNames', () => {
  it('ends with the name that clients ask for, and has every other name once', () => {
    const names = sniNames(1_000);
    expect(names.at(-1)).toBe(serverName);
    expect(new Set(names).size).toBe(1_000);
  });

  it('is empty without rules', () => {
    expect(sniNames(0)).toEqual([]);
  });
});

describe('the configurations of the subjects', () => {
  it('are the same with no rules as with no setting', () => {
    expect(configs({ sniRules: 0 })).toEqual(configs({}));
  });

  it('have a rule for each name', () => {
    for (const [name, text] of configs({ sniRules: 10 })) {
      const rules = text.split('\n').filter((line) => line.includes('example.com'));
      expect(rules, name).toHaveLength(10);
    }
  });

  it('name the certificate only where clients come with TLS', () => {
    for (const [name, text] of configs({ tls: true })) expect(text, name).toContain('.pem');
    for (const [name, text] of configs({})) expect(text, name).not.toContain('.pem');
  });

  it('log sessions only where that is asked for', () => {
    const [on, off] = [configs({ sessionLog: true }), configs({})];
    expect(on.get('sluice-uring')).toContain('sessions: true');
    expect(off.get('sluice-uring')).toContain('sessions: false');
  });
});
