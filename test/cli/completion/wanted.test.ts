import { describe, expect, it } from 'vitest';
import { type Completable, wantedAt } from '../../../src/cli/completion/wanted.ts';
import { sluiceCommand } from '../../../src/cli/program.ts';

const root = sluiceCommand(() => {}, []);

function wanted(line: string): Completable {
  return wantedAt(root, line.split(' ')).wanted;
}

function wordsAt(line: string): readonly string[] {
  const found = wanted(line);
  return found.kind === 'words' ? found.words.map(({ word }) => word) : [];
}

describe('What may be typed next', () => {
  it('is a command at first, and behind help', () => {
    for (const line of ['', 'dr', 'help ']) {
      expect(wordsAt(line)).toEqual(
        expect.arrayContaining(['run', 'drain', 'sessions', 'completion', 'help']),
      );
    }
    expect(wordsAt('nonsense ')).toEqual([]);
  });

  it('is a pool, and then one of its backends', () => {
    for (const command of ['drain', 'ready', 'maint', 'weight']) {
      expect(wanted(`${command} `)).toEqual({ kind: 'pool' });
      expect(wanted(`${command} app `)).toEqual({ kind: 'backend', pool: 'app' });
      expect(wanted(`${command} --for 5m --json app 10.`)).toEqual({ kind: 'backend', pool: 'app' });
    }
    expect(wanted('status ')).toEqual({ kind: 'pool' });
    expect(wordsAt('weight app b ')).toEqual([]);
  });

  it('is what an option takes, behind it or behind its equals sign', () => {
    for (const between of [' ', '=']) {
      expect(wanted(`sessions --pool${between}`)).toEqual({ kind: 'pool' });
      expect(wanted(`sessions --listener${between}w`)).toEqual({ kind: 'listener' });
      expect(wanted(`sessions --pool app --backend${between}`)).toEqual({ kind: 'backend', pool: 'app' });
      expect(wanted(`run --config${between}`)).toEqual({ kind: 'file' });
      expect(wordsAt(`sessions --state${between}`)).toContain('relaying');
      expect(wordsAt(`sessions --older-than${between}`)).toEqual([]);
    }
    expect(wanted('run -c ')).toEqual({ kind: 'file' });
    expect(wanted('check ')).toEqual({ kind: 'file' });
    expect(wordsAt('completion ')).toEqual(['bash', 'zsh', 'fish']);
    expect(wantedAt(root, ['sessions', '--backend=10.']).before).toBe('--backend=');
  });

  it('is an option where one is begun, or where nothing else is wanted', () => {
    expect(wordsAt('drain app b --')).toEqual(
      expect.arrayContaining(['--wait', '--for', '--admin', '--help']),
    );
    expect(wordsAt('events ')).toContain('--after');
  });

  it('goes by the options that say which proxy', () => {
    const { given } = wantedAt(root, [
      'drain',
      '--admin',
      '9901',
      '-c',
      'a.yaml',
      '--token-file=t',
      '--wait',
      '',
    ]);
    expect(given).toEqual({ admin: '9901', config: 'a.yaml', tokenFile: 't' });
  });
});
