/** A scenario's figures for the terminal, in at most 100 columns: what is wider goes on in a block below. */
import type { Comparison, Summary } from '../summary.ts';
import { range, ratioText, short } from './figures.ts';

const width = 100;
const gap = '  ';

export function table(summary: Summary): string {
  return [
    `${summary.name}: ${wrapped(summary.question, `${summary.name}: `.length)}`,
    '',
    ...figureBlocks(summary),
    ...summary.comparisons.flatMap(comparisonBlocks),
    ...summary.notes.map((note) => `! ${wrapped(note, 2)}\n`),
  ].join('\n');
}

/** The medians, and of several rounds a second line for each subject: the least and the greatest value. */
function figureBlocks({ metrics, rows }: Summary): string[] {
  const ranges = rows.some(({ figures }) => Object.values(figures).some(({ count }) => count > 1));
  const lines = (first: string, second: string): string[] => (ranges ? [first, second] : [first]);
  // The sum has its range; those of its parts, counted in ticks, would only take the room of another column.
  const parts = new Set(metrics.flatMap((metric) => metric.parts ?? []));
  const names = ['', '', ...rows.flatMap(({ subject }) => lines(subject, ''))];
  const columns = metrics.map(({ key, title, unit }) => [
    title,
    unit,
    ...rows.flatMap(({ figures }) => {
      const figure = figures[key];
      return figure === undefined
        ? lines('–', '')
        : lines(short(figure.median), parts.has(key) ? '' : range(figure));
    }),
  ]);
  return blocks(names, columns);
}

function comparisonBlocks({ metric, subjects, ratios }: Comparison): string[] {
  const names = ['row ÷ column', ...subjects];
  const columns = subjects.map((column, index) => [
    column,
    ...ratios.map((row, rowIndex) => {
      const ratio = row[index];
      return rowIndex === index ? '·' : ratio === undefined ? '–' : ratioText(ratio);
    }),
  ]);
  return [`${metric.title}, ${metric.unit} (${metric.better} is better)`, ...blocks(names, columns)];
}

/** Columns side by side, the first one repeated in each block, every other one to the right. */
function blocks(names: readonly string[], columns: readonly (readonly string[])[]): string[] {
  const left = padded(names, 'left');
  const lines: string[] = [];
  let block = left;
  let taken = left[0]?.length ?? 0;
  for (const column of columns.map((cells) => padded(cells, 'right'))) {
    const wide = gap.length + (column[0]?.length ?? 0);
    if (taken + wide > width && block !== left) {
      lines.push(...block, '');
      block = left;
      taken = left[0]?.length ?? 0;
    }
    block = block.map((line, row) => line + gap + (column[row] ?? ''));
    taken += wide;
  }
  return [...lines, ...block, ''].map((line) => line.trimEnd());
}

function padded(cells: readonly string[], to: 'left' | 'right'): string[] {
  const widest = Math.max(...cells.map(({ length }) => length));
  return cells.map((cell) => (to === 'left' ? cell.padEnd(widest) : cell.padStart(widest)));
}

function wrapped(text: string, indent: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].join(`\n${' '.repeat(indent)}`);
}
