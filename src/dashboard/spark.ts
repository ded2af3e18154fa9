/** A small picture of the last quarter of an hour. What it shows is also said in words, for who does not see it. */
import { type Element, h } from './dom.ts';
import { rate } from './format.ts';

const points = 180;
const [width, height] = [180, 32];

/** `failures` are marked below the line. */
export function spark(
  label: string,
  values: readonly number[] = [],
  failures: readonly number[] = [],
): Element {
  const most = Math.max(...values, 0.001);
  const start = points - values.length;
  const y = (value: number): string => (height - 4 - (value / most) * (height - 7)).toFixed(1);
  const line = values.map((value, at) => `${at === 0 ? 'M' : 'L'}${start + at} ${y(value)}`).join('');
  const marks = failures.map((value, at) => (value > 0 ? `M${start + at} ${height}v-3` : '')).join('');
  const said =
    values.length < 2
      ? `${label}: nothing is known yet`
      : `${label} in the last ${Math.ceil(values.length / 12)} min: now ${rate(values.at(-1) ?? 0)}, most ${rate(most)}` +
        (marks === '' ? '' : ', with failures');
  return h(
    'svg',
    {
      class: 'spark',
      viewBox: `0 0 ${width} ${height}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': said,
    },
    h('path', { class: 'base', d: `M0 ${height - 3.5}H${width}` }),
    values.length > 1 && [
      h('path', { class: 'area', d: `${line}V${height - 4}H${start}Z` }),
      h('path', { class: 'line', d: line }),
    ],
    marks !== '' && h('path', { class: 'marks', d: marks }),
  );
}
