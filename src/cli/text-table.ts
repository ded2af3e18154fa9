/** Rows as lines of text with a heading, whose columns stand below each other and fit a terminal. */
import { styleText } from 'node:util';

export interface TableColumn<Row> {
  readonly heading: string;
  /** Where its blanks are: behind words, before numbers. */
  readonly is: 'word' | 'number';
  /** At least so wide: what changes from view to view then does not jump. */
  readonly least?: number;
  text(row: Row): string;
  colour?(row: Row): TextColour | undefined;
}

export type TextColour = 'green' | 'yellow' | 'red';

export interface Paper {
  /** The most characters of a line. */
  readonly width: number;
  readonly isColoured: boolean;
  /** Blanks between columns. */
  readonly gap?: number;
}

/**
 * The last columns are left out where they have no room, and the first is cut: no line is wider than the paper. Texts
 * are plain: each character is one column of a terminal.
 */
export function textTable<Row>(
  rows: readonly Row[],
  columns: readonly TableColumn<Row>[],
  { width, isColoured, gap = 2 }: Paper,
): readonly string[] {
  const shown = fitting(columns, rows, width, gap);
  const lineOf = (cell: (column: Sized<Row>) => string): string =>
    shown.map(cell).join(' '.repeat(gap)).trimEnd();
  return [
    lineOf((column) => aligned(column.heading, column)),
    ...rows.map((row) =>
      lineOf((column) => {
        const text = aligned(plain(column.text(row)), column);
        const colour = isColoured ? column.colour?.(row) : undefined;
        return colour === undefined ? text : styleText(colour, text, { validateStream: false });
      }),
    ),
  ];
}

/** As stdout has it: without a terminal, nothing is left out. */
export function paperOf(
  out: { readonly isTTY?: boolean; readonly columns?: number },
  isColoured: boolean,
): Paper {
  return { width: out.isTTY ? (out.columns ?? 80) : Number.POSITIVE_INFINITY, isColoured };
}

type Sized<Row> = TableColumn<Row> & { readonly width: number };

function fitting<Row>(
  columns: readonly TableColumn<Row>[],
  rows: readonly Row[],
  width: number,
  gap: number,
): readonly Sized<Row>[] {
  const shown: Sized<Row>[] = [];
  let left = width;
  for (const column of columns) {
    const texts = rows.map((row) => column.text(row).length);
    const wanted = texts.reduce(
      (most, one) => Math.max(most, one),
      Math.max(column.heading.length, column.least ?? 0),
    );
    const isFirst = shown.length === 0;
    const room = isFirst ? left : left - gap;
    if (wanted > room && !isFirst) break;
    shown.push({ ...column, width: Math.min(wanted, room) });
    left = room - wanted;
  }
  return shown;
}

/** What others have written must not speak to the terminal: ECMA-48's controls become blanks. */
export function plain(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, ' ');
}

function aligned(text: string, { width, is }: Sized<unknown>): string {
  const fits = text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`.slice(0, width);
  return is === 'word' ? fits.padEnd(width) : fits.padStart(width);
}
