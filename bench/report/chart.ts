import type { Metric } from '../scenarios/scenario.ts';
import type { Row } from '../summary.ts';
import { range, short } from './figures.ts';
import { escaped } from './markup.ts';

const [labelWidth, plotWidth, valueWidth] = [150, 360, 170];
const [barHeight, rowHeight, top] = [16, 28, 8];

/** A piece of SVG, whose classes `chartStyle` gives a look. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly markup: string;
}

/** The bars of a metric in HTML, under what they show. Empty where nobody has the figure. */
export function chart(metric: Metric, rows: readonly Row[]): string {
  const drawing = bars(metric, rows);
  if (drawing === undefined) return '';
  const { width, height, markup } = drawing;
  return `
<figure>
<figcaption>${escaped(`${metric.title}, ${metric.unit}`)} <small>${legend(metric)}</small></figcaption>
<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(metric.title)} by subject">${markup}
</svg>
</figure>`;
}

/** Which end is the good one, and what the two shades of a bar are. */
export function legend({ better, parts }: Metric): string {
  const shades = parts === undefined ? '' : `; left: ${parts[0] ?? ''}, right: ${parts[1] ?? ''}`;
  return escaped(`${better} is better${shades}`);
}

/**
 * A bar for each subject that has the figure: the median, a whisker from the least to the greatest value, and
 * the parts of a sum in two shades. The axis begins at zero.
 */
export function bars(metric: Metric, rows: readonly Row[]): Drawing | undefined {
  const known = rows.flatMap((row) => {
    const figure = row.figures[metric.key];
    return figure === undefined ? [] : [{ row, figure }];
  });
  const most = Math.max(0, ...known.map(({ figure }) => figure.max));
  if (most <= 0) return undefined;
  const x = (value: number): number => labelWidth + (Math.max(0, value) / most) * plotWidth;
  const [width, height] = [labelWidth + plotWidth + valueWidth, top + known.length * rowHeight + top];

  const drawn = known.map(({ row, figure }, index) => {
    const y = top + index * rowHeight + (rowHeight - barHeight) / 2;
    const middle = y + barHeight / 2;
    const [low, high] = [x(figure.min), x(figure.max)];
    return `
<g class="${row.subject.startsWith('sluice') ? 'ours' : 'peer'}">
  <text class="label" x="${labelWidth - 10}" y="${middle}">${escaped(row.subject)}</text>
  ${parts(metric, row, figure.median)
    .map(
      (part, shade) =>
        `<rect class="shade${shade}" x="${round(x(part.from))}" y="${y}" width="${round(x(part.to) - x(part.from))}" height="${barHeight}"><title>${escaped(part.title)}</title></rect>`,
    )
    .join('')}
  <path class="whisker" d="M${round(low)} ${middle}H${round(high)}M${round(low)} ${middle - 4}v8M${round(high)} ${middle - 4}v8"/>
  <text class="value" x="${round(high + 8)}" y="${middle}">${short(figure.median)}<tspan class="range"> ${figure.count > 1 ? range(figure) : ''}</tspan></text>
</g>`;
  });
  const axis = `\n<line class="axis" x1="${labelWidth}" x2="${labelWidth}" y1="${top}" y2="${height - top}"/>`;
  return { width, height, markup: axis + drawn.join('') };
}

/** The bar cut in the proportion of the metric's parts, or whole where it has none. */
function parts(metric: Metric, row: Row, median: number): { from: number; to: number; title: string }[] {
  const medians = (metric.parts ?? []).map((key) => ({ key, value: row.figures[key]?.median ?? 0 }));
  const sum = medians.reduce((total, { value }) => total + value, 0);
  if (sum <= 0) return [{ from: 0, to: median, title: `${metric.title} ${short(median)}` }];
  let from = 0;
  return medians.map(({ key, value }) => {
    const part = { from, to: from + (value / sum) * median, title: `${key} ${short(value)}` };
    from = part.to;
    return part;
  });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
