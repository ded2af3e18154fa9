/** Makes the files of the dashboard, small enough to be sent as they are. */
import { copyFileSync } from 'node:fs';
import { buildSync } from 'esbuild';

export function bundleDashboard(from: string, to: string): void {
  buildSync({
    entryPoints: [`${from}main.ts`, `${from}style.css`],
    outdir: to,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['chrome123', 'firefox121', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
  });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(from + file, to + file);
}
