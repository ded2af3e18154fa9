import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { frame, type Screen, type Shown } from '../../../src/cli/top/frame.ts';
import { firstState } from '../../../src/cli/top/top-state.ts';
import { topView } from '../../../src/cli/top/top-view.ts';
import { someStatus, someView } from './some-view.ts';

const view = someView({ '10.0.0.1:9000': { total: 20, bytesToClient: 4_096 } });
const shown: Shown = { view, state: firstState, sessions: [], lost: undefined, head: [] };
const screen: Screen = { columns: 80, rows: 24, isColoured: false };

const session = (id: number): object => ({
  ...{ id: `w0.1.${id}`, state: 'relaying', listener: 'web', client: '192.168.100.200:65535', pool: 'app' },
  ...{ backend: '10.0.0.2:9000', ageMs: 4_000_000, idleMs: 65_000, bytesToBackend: 1, bytesToClient: 2_000 },
});

describe('The screen of top', () => {
  it('has pools and backends, how they stand and how fast they count, in 80 columns', () => {
    const lines = frame(shown, screen);
    expect(lines.slice(0, 10)).toEqual([
      'sluice 1.2.3  serving 1h  workers: 2 uring',
      '7 connections  10 new/s  2.0 KiB/s to clients  0 B/s to backends',
      '',
      'pool, backend     state health  breaker   active new/s to client to backend',
      'app               held                         6    10   2.0 KiB        0 B',
      '> 10.0.0.1:9000   ready up      closed         4    10   2.0 KiB        0 B',
      '  10.0.0.2:9000   drain up      closed         2     0       0 B        0 B',
      '  10.0.0.3:9000   ready down    half-open      0     0       0 B        0 B',
      'db                                             1     0       0 B        0 B',
      '  10.0.0.9:5432   ready up      closed         1     0       0 B        0 B',
    ]);
    expect(lines).toHaveLength(24);
    expect(lines.slice(-2)).toEqual([
      'q quit  up/down choose  d drain  r ready  s sessions',
      'sort by  n name  a active  c sessions  b bytes  f failures',
    ]);
  });

  it('says of a pool whether it is held or releasing, in 80 columns', () => {
    const [pool, ...others] = view.pools;
    // Nothing else of it is looked at.
    const hold = { phase: 'releasing' } as never;
    const pools = pool === undefined ? others : [{ ...pool, hold }, ...others];
    const [heading, line] = frame({ ...shown, view: { ...view, pools } }, screen).slice(3, 5);
    expect(heading).toMatch(/ to backend$/);
    expect(line).toMatch(/^app +releasing /);
  });

  it('leaves out columns for which 60 have no room, and has more in 200', () => {
    const heading = (columns: number): string | undefined => frame(shown, { ...screen, columns })[3];
    expect(heading(60)).toBe('pool, backend     state health  breaker   active new/s');
    expect(heading(200)).toMatch(/ to backend failed\/s queued takes none$/);
  });

  it.each([
    [80, 24],
    [60, 24],
    [200, 50],
    [30, 10],
    [8, 5],
    [80, 3],
    [80, 1],
    [1, 1],
  ])('never has more than %i columns and %i rows', (columns, rows) => {
    const head = Array.from({ length: 6 }, () => 'h'.repeat(100));
    const states = [
      firstState,
      { ...firstState, question: { what: 'drain', pool: 'app', address: '10.0.0.1:9000' } as const },
      { ...firstState, page: 'sessions' as const, message: 'm'.repeat(300) },
    ];
    const sessions = Array.from({ length: 99 }, (_, id) => session(id)) as unknown as Shown['sessions'];
    for (const state of states) {
      for (const one of [view, undefined]) {
        for (const isColoured of [true, false]) {
          const lines = frame(
            { view: one, state, sessions, lost: undefined, head },
            { columns, rows, isColoured },
          );
          expect(lines.length).toBeLessThanOrEqual(rows);
          for (const line of lines)
            expect(stripVTControlCharacters(line).length).toBeLessThanOrEqual(columns);
        }
      }
    }
  });

  it('has the same words with colours and without, one for each state: good, not yet, bad', () => {
    const coloured = frame(shown, { ...screen, isColoured: true });
    expect(coloured.map((line) => stripVTControlCharacters(line).trimEnd())).toEqual(frame(shown, screen));
    expect(coloured.join('').replaceAll('\x1b', 'ESC')).toMatch(/ESC\[32mready.*ESC\[33mdrain.*ESC\[31mdown/);
    expect(frame(shown, screen).join('')).not.toContain('\x1b');
  });

  it('keeps the chosen backend in sight where there are more than rows', () => {
    const many = topView(someStatus(0), undefined);
    const [pool] = many.pools;
    const backends = Array.from({ length: 500 }, (_, index) => ({
      ...pool!.backends[0]!,
      address: `b${index}`,
    }));
    const long = { ...many, pools: [{ ...pool!, backends }] };
    for (const address of ['b0', 'b250', 'b499']) {
      const state = { ...firstState, chosen: { pool: 'app', address } };
      const lines = frame({ ...shown, view: long, state }, screen);
      expect(lines).toHaveLength(24);
      expect(lines.filter((line) => line.startsWith(`> ${address} `))).toHaveLength(1);
    }
  });

  it('says what a drain would do before it does it', () => {
    const state = {
      ...firstState,
      question: { what: 'drain', pool: 'app', address: '10.0.0.1:9000' } as const,
    };
    expect(frame({ ...shown, state }, screen)).toContain(
      'drain app 10.0.0.1:9000? 4 sessions stay, 0 others take new ones. y/n',
    );
  });

  it('shows the sessions of a backend', () => {
    const sessions = [session(1)] as unknown as Shown['sessions'];
    const state = {
      ...firstState,
      page: 'sessions' as const,
      chosen: { pool: 'app', address: '10.0.0.2:9000' },
    };
    const lines = frame({ ...shown, state, sessions }, screen);
    expect(lines.slice(3, 6)).toEqual([
      'sessions of app 10.0.0.2:9000, the most idle first',
      'id     client                state    backend        age idle to client',
      'w0.1.1 192.168.100.200:65535 relaying 10.0.0.2:9000 1h6m 1m5s   2.0 KiB',
    ]);
    expect(lines.at(-2)).toBe('q quit  s back');
  });

  it('says that the proxy is lost, in place of all else that it has to say', () => {
    const lines = frame({ ...shown, state: { ...firstState, message: 'old' }, lost: 'LOST: gone' }, screen);
    expect(lines).toContain('LOST: gone');
    expect(lines).not.toContain('old');
  });

  it('lets nothing that others have written speak to the terminal', () => {
    const state = { ...firstState, message: 'a\x1b[2Jb\x07c\x9bd' };
    const lines = frame({ ...shown, state, head: ['\x1b]0;title\x07'] }, screen);
    expect(lines.join('')).not.toMatch(/\p{Cc}/u);
  });
});
