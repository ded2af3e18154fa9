/** What the demo shows, as lines: how to try it, and how its backends fare. */
import { styleText } from 'node:util';

/** A backend as the snapshot has it. */
export interface Row {
  readonly name: string;
  readonly health: 'up' | 'down' | 'unknown';
  readonly circuit: 'closed' | 'open' | 'half-open';
  readonly active: number;
  readonly totals: {
    readonly connections: number;
    readonly bytesToBackend: number;
    readonly bytesToClient: number;
  };
}

/** At most 60 characters wide. */
export function introduction(port: number, adminPort: number): readonly string[] {
  return [
    `sluice listens on 127.0.0.1:${port} and spreads connections`,
    'over three backends. The last one is away for 8 of every 20',
    'seconds: its breaker opens, its health goes down, and the',
    'others serve everybody.',
    '',
    `  curl 127.0.0.1:${port}                 a backend answers`,
    `  http://127.0.0.1:${adminPort}               the dashboard`,
    `  curl 127.0.0.1:${adminPort}/api/v1/status   the state as JSON`,
    `  curl 127.0.0.1:${adminPort}/metrics         for Prometheus`,
    '  Ctrl-C                              stops gracefully',
    '',
  ];
}

/** A heading and a row for each backend, with as many columns as fit the width. */
export function table(rows: readonly Row[], width: number, isColoured: boolean): readonly string[] {
  const shown = fitting(width);
  const lineOf = (cell: (column: Column) => string): string => shown.map(cell).join('').trimEnd();
  return [
    lineOf((column) => aligned(column.heading, column)),
    ...rows.map((row) =>
      lineOf((column) => {
        const text = aligned(column.text(row), column);
        const colour = isColoured ? column.colour?.(row) : undefined;
        return colour === undefined ? text : styleText(colour, text, { validateStream: false });
      }),
    ),
  ];
}

/** All backends in one line, for output that is no terminal. */
export function oneLine(rows: readonly Row[]): string {
  return rows
    .map(
      ({ name, health, circuit, active, totals }) =>
        `${name} ${health}, breaker ${circuit}, ${active} active, ${totals.connections} served`,
    )
    .join(' | ');
}

type Colour = 'green' | 'yellow' | 'red';

interface Column {
  readonly heading: string;
  /** With the blanks that keep it from its neighbour. */
  readonly width: number;
  /** Where its blanks are: behind words, before numbers. */
  readonly is: 'word' | 'number';
  text(row: Row): string;
  colour?(row: Row): Colour;
}

const healthColours = { up: 'green', unknown: 'yellow', down: 'red' } as const;
const circuitColours = { closed: 'green', 'half-open': 'yellow', open: 'red' } as const;

/** 74 characters. */
const columns: readonly Column[] = [
  { heading: 'backend', width: 17, is: 'word', text: ({ name }) => name },
  {
    heading: 'health',
    width: 9,
    is: 'word',
    text: ({ health }) => health,
    colour: ({ health }) => healthColours[health],
  },
  {
    heading: 'breaker',
    width: 11,
    is: 'word',
    text: ({ circuit }) => circuit,
    colour: ({ circuit }) => circuitColours[circuit],
  },
  { heading: 'active', width: 6, is: 'number', text: ({ active }) => `${active}` },
  { heading: 'served', width: 8, is: 'number', text: ({ totals }) => `${totals.connections}` },
  { heading: 'to backend', width: 12, is: 'number', text: ({ totals }) => size(totals.bytesToBackend) },
  { heading: 'to client', width: 11, is: 'number', text: ({ totals }) => size(totals.bytesToClient) },
];

/** The first columns, as far as they have room side by side: a line that wraps could not be drawn over. */
function fitting(width: number): readonly Column[] {
  let left = width;
  const tooMuch = columns.findIndex((column) => {
    left -= column.width;
    return left < 0;
  });
  return tooMuch < 0 ? columns : columns.slice(0, tooMuch);
}

function aligned(text: string, { width, is }: Column): string {
  return is === 'word' ? text.padEnd(width) : text.padStart(width);
}

function size(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
