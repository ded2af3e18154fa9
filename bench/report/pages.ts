/**
 * Pages with figures in them: what stands between `<!-- bench NAME -->` and `<!-- /bench -->` is written by the bench
 * alone. `figures` is all of it, `summary` the ratios to HAProxy.
 */

import { readme, summaryTable } from './readme.ts';
import type { Results } from './results.ts';

const block = /(<!-- bench (\w+) -->\n)[\s\S]*?(<!-- \/bench -->)/g;

/** The page with the figures of these runs, each under its own date. Throws where it has no place for any. */
export function withFigures(page: string, runs: readonly Results[]): string {
  const texts: Readonly<Record<string, () => string>> = {
    figures: () => runs.map(readme).join('\n'),
    summary: () => runs.map(summaryTable).join('\n'),
  };
  if (page.search(block) < 0) throw new Error('Expected <!-- bench figures --> or <!-- bench summary -->');
  return page.replace(block, (_, begin: string, name: string, end: string) => {
    const text = texts[name];
    if (text === undefined) throw new Error(`Expected "figures" or "summary" after bench, found "${name}"`);
    return `${begin}\n${text()}\n${end}`;
  });
}
