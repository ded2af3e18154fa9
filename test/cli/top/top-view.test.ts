import { describe, expect, it } from 'vitest';
import { lineOf, objectOf } from '../../../src/cli/top/live.ts';
import { topView } from '../../../src/cli/top/top-view.ts';
import { someStatus, someView } from './some-view.ts';

describe('A view of a proxy', () => {
  it('has what was counted since the last one, a second, and its sums', () => {
    const view = someView({
      '10.0.0.1:9000': { total: 10, bytesToClient: 4_096 },
      '10.0.0.3:9000': { dialFailures: 3 },
      '10.0.0.9:5432': { total: 2 },
    });
    const [app, db] = view.pools;
    expect(app?.backends[0]?.rates).toEqual({
      sessions: 5,
      bytesToClient: 2_048,
      bytesToBackend: 0,
      failures: 0,
    });
    expect(app?.rates).toMatchObject({ sessions: 5, failures: 1.5 });
    expect(db?.rates).toMatchObject({ sessions: 1, failures: 0 });
    expect(view.rates).toMatchObject({ sessions: 6, bytesToClient: 2_048, failures: 1.5 });
    expect(view.active).toBe(7);
  });

  it('knows of no rates at first, of a backend that is new, and of one whose counts begin again', () => {
    expect(topView(someStatus(0), undefined).rates.sessions).toBe(0);
    const many = someStatus(0, { '10.0.0.1:9000': { total: 100 } });
    expect(topView(someStatus(1_000), many).rates.sessions).toBe(0);
    const other = someStatus(1_000, { '10.0.0.1:9000': { total: 9, more: { address: '10.0.0.7:9000' } } });
    expect(topView(other, someStatus(0)).rates.sessions).toBe(0);
    expect(topView(someStatus(0, { '10.0.0.1:9000': { total: 9 } }), someStatus(0)).rates.sessions).toBe(0);
  });

  it('is a line for people where there is no screen', () => {
    expect(lineOf(someView({ '10.0.0.1:9000': { total: 10 } }))).toBe(
      '10.0.0.1:9000 up, breaker closed, 4 active, 10 served | ' +
        '10.0.0.2:9000 drain, up, breaker closed, 2 active, 0 served | ' +
        '10.0.0.3:9000 down, breaker half-open, 0 active, 0 served | ' +
        '10.0.0.9:5432 up, breaker closed, 1 active, 0 served',
    );
  });

  it('is an object for programs, as status and with rates', () => {
    expect(objectOf(someView({ '10.0.0.9:5432': { total: 4 } }))).toMatchObject({
      version: '1.2.3',
      rates: { sessions: 2 },
      pools: {
        db: { balance: 'first', rates: { sessions: 2 }, backends: [{ total: 4, rates: { sessions: 2 } }] },
      },
    });
  });
});
