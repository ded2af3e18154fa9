import { describe, expect, it } from 'vitest';
import { hasColours } from '../../src/telemetry/colours.ts';
import { prettyLine } from '../../src/telemetry/pretty.ts';

/** 18:18:29 where the test runs. */
const time = new Date(2026, 10, 22, 18, 18, 29, 202).toISOString();
const session = {
  level: 'info',
  time,
  listener: 'web',
  pool: 'app',
  backend: '10.0.0.12:9000',
  client: '203.0.113.7:50123',
  attempts: 1,
  queueMs: 0,
  connectMs: 0.812,
  durationMs: 49.977,
  bytesToBackend: 78,
  bytesToClient: 197,
  reason: 'finished',
  endedBy: 'backend',
  msg: 'session closed',
};

const pretty = (fields: object): string => prettyLine(`${JSON.stringify(fields)}\n`, false);

describe('prettyLine', () => {
  it('has date, time and level, the message, and the fields behind it', () => {
    const line = { level: 'warn', time, pool: 'app', failures: 5, why: '1 down, 1 drained', msg: 'gone' };
    expect(pretty(line)).toBe('2026-11-22 18:18:29 WARN  gone pool=app failures=5 why="1 down, 1 drained"\n');
  });

  it('has columns for a session, which fit 80 characters', () => {
    const line = pretty({ ...session, durationMs: 250.4 });
    expect(line).toBe('2026-11-22 18:18:29 INFO  web  203.0.113.7:50123 > 10.0.0.12:9000 finished 250ms\n');
    expect(line.trimEnd().length).toBeLessThanOrEqual(80);
  });

  it('says behind the columns what is not as always', () => {
    const dials = [{ backend: '10.0.0.1:9000', error: 'ECONNREFUSED' }];
    expect(pretty({ ...session, attempts: 2, queueMs: 3.5, sni: 'a.test', dials, leftOut: 4 })).toMatch(
      / finished 50ms attempts=2 queueMs=3\.5 sni=a\.test dials=\[\{"backend":"10\.0\.0\.1:9000","error":"ECONNREFUSED"\}\] leftOut=4\n$/,
    );
  });

  it('has a dash where no backend was asked, and no column for what the log leaves out', () => {
    const { backend: _, ...refused } = { ...session, reason: 'denied', durationMs: 0.2 };
    expect(pretty(refused)).toMatch(/ > -\s+denied 0ms\n$/);
    expect(pretty({ level: 'info', time, reason: 'finished', msg: 'session closed' })).toContain('finished');
  });

  it.each([
    [12_345, '12.3s'],
    [600_000, '10m'],
  ])('writes %d ms as %s', (durationMs, text) => {
    expect(
      pretty({ ...session, durationMs })
        .trimEnd()
        .endsWith(text),
    ).toBe(true);
  });

  it('writes an error with its stack', () => {
    const err = { type: 'Error', message: 'Broken', stack: 'Error: Broken\n    at here' };
    expect(pretty({ level: 'error', time, err, msg: 'failed' })).toBe(
      '2026-11-22 18:18:29 ERROR failed\n    Error: Broken\n        at here\n',
    );
  });

  it('lets no peer speak to the terminal', () => {
    const hostile = '\u001b[2J\u009b31m';
    const line = pretty({ ...session, sni: hostile, detail: `x ${hostile}`, client: hostile });
    expect(line.trimEnd()).not.toMatch(/\p{Cc}/u);
    expect(pretty({ level: 'info', time, msg: hostile }).trimEnd()).not.toMatch(/\p{Cc}/u);
  });

  it('leaves what is no JSON as it is', () => {
    expect(prettyLine('words\n', false)).toBe('words\n');
  });

  it('has colours where they are wanted', () => {
    expect(prettyLine(JSON.stringify(session), true)).toContain('\u001b[32mINFO ');
    expect(prettyLine(JSON.stringify(session), false)).not.toContain('\u001b');
  });
});

describe('hasColours', () => {
  it.each([
    [true, {}, true],
    [true, { TERM: 'xterm-256color', NO_COLOR: '' }, true],
    [true, { NO_COLOR: '1' }, false],
    [true, { TERM: 'dumb' }, false],
    [false, { TERM: 'xterm-256color' }, false],
  ])('on a terminal (%s) with %j is %s', (isTerminal, env, expected) => {
    expect(hasColours(isTerminal, env)).toBe(expected);
  });
});
