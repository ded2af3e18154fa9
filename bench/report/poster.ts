/** The one chart of docs/performance.md: an SVG file that needs nothing else, on a light and on a dark page. */
import type { Summary } from '../summary.ts';
import { bars, type Drawing, legend } from './chart.ts';
import { escaped } from './markup.ts';
import { chartStyle } from './style.ts';

/** What it shows, of what was measured: a scenario and one of its metrics, from the top. */
const panels = [
  ['keepalive', 'cpu'],
  ['connect', 'cpu'],
  ['bulk-download', 'rate'],
  ['idle', 'resident'],
] as const;

const titleHeight = 30;

/** Undefined where nothing of it was measured. */
export function poster(summaries: readonly Summary[]): string | undefined {
  const drawn = panels.flatMap(([name, key]) => {
    const summary = summaries.find((candidate) => candidate.name === name);
    const metric = summary?.metrics.find((candidate) => candidate.key === key);
    if (summary === undefined || metric === undefined) return [];
    const drawing = bars(metric, summary.rows);
    return drawing === undefined ? [] : [{ metric, drawing }];
  });
  if (drawn.length === 0) return undefined;
  const width = Math.max(...drawn.map(({ drawing }) => drawing.width));
  let height = 0;
  const stacked = drawn.map(({ metric, drawing }) => {
    const title = `${escaped(metric.headline ?? metric.title)} <tspan class="range">${legend(metric)}</tspan>`;
    const panel = placed(title, drawing, height);
    height += titleHeight + drawing.height;
    return panel;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>sluice beside other proxies</title>
<style>${chartStyle}svg { background: var(--back); font-family: system-ui, sans-serif; }
</style>${stacked.join('')}
</svg>
`;
}

function placed(title: string, { markup }: Drawing, y: number): string {
  return `
<g transform="translate(0 ${y})">
<text class="title" x="10" y="${titleHeight / 2 + 4}">${title}</text>
<g transform="translate(0 ${titleHeight})">${markup}
</g>
</g>`;
}
