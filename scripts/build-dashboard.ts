/** Part of the build: makes the files of the dashboard from src/dashboard, small enough to be sent as they are. */
import { copyFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const [from, to] = [pathOf('../../src/dashboard/'), pathOf('../src/dashboard/')];

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

function pathOf(folder: string): string {
  return fileURLToPath(new URL(folder, import.meta.url));
}
