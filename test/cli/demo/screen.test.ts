import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { introduction, oneLine, type Row, table } from '../../../src/cli/demo/screen.ts';

/** With texts as long as they get in a day. */
function row(more: Partial<Row>): Row {
  return {
    name: '127.0.0.1:65535',
    health: 'unknown',
    circuit: 'half-open',
    active: 1_234,
    totals: { connections: 576_000, bytesToBackend: 33 * 1024 ** 2, bytesToClient: 1023.9 * 1024 ** 2 },
    ...more,
  };
}

const rows = [row({ health: 'up', circuit: 'closed' }), row({}), row({ health: 'down', circuit: 'open' })];

describe('The screen of the demo', () => {
  it('has all columns in 80 characters', () => {
    const lines = table(rows, 80, false);
    expect(lines).toEqual([
      'backend          health   breaker    active  served  to backend  to client',
      '127.0.0.1:65535  up       closed       1234  576000    33.0 MiB 1023.9 MiB',
      '127.0.0.1:65535  unknown  half-open    1234  576000    33.0 MiB 1023.9 MiB',
      '127.0.0.1:65535  down     open         1234  576000    33.0 MiB 1023.9 MiB',
    ]);
  });

  it('leaves out the columns for which 60 characters have no room', () => {
    expect(table(rows, 60, false).slice(0, 2)).toEqual([
      'backend          health   breaker    active  served',
      '127.0.0.1:65535  up       closed       1234  576000',
    ]);
  });

  it.each([80, 60, 40, 20, 1])('has no line that is longer than %i characters', (width) => {
    const longest = Math.max(...table(rows, width, false).map(({ length }) => length));
    expect(longest).toBeLessThanOrEqual(width);
  });

  it('has an introduction of at most 60 characters, with any port', () => {
    const longest = Math.max(...introduction(65_535, 65_534).map(({ length }) => length));
    expect(longest).toBeLessThanOrEqual(60);
  });

  it('has a colour for each state: good, not yet known, bad', () => {
    const coloured = table(rows, 80, true).map((line) => line.replaceAll('\x1b', 'ESC'));
    const [, up, unknown, down] = coloured;
    expect(up).toMatch(/ESC\[32mup +ESC\[39mESC\[32mclosed +ESC\[39m/);
    expect(unknown).toMatch(/ESC\[33munknown +ESC\[39mESC\[33mhalf-open +ESC\[39m/);
    expect(down).toMatch(/ESC\[31mdown +ESC\[39mESC\[31mopen +ESC\[39m/);
    expect(table(rows, 80, true).map(stripVTControlCharacters)).toEqual(table(rows, 80, false));
  });

  it('is one line with all backends where there is no terminal', () => {
    expect(oneLine(rows.slice(0, 2))).toBe(
      '127.0.0.1:65535 up, breaker closed, 1234 active, 576000 served | 127.0.0.1:65535 unknown, breaker half-open, 1234 active, 576000 served',
    );
  });
});
