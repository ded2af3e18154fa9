/** What `npm install` brings, which has neither this folder nor the packages that only building takes. */
import { isAscii } from 'node:buffer';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { startBackend, visit } from '../support/backends.ts';
import { installIn } from '../support/installation.ts';
import { root } from '../support/pages.ts';
import { Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
afterAll(() => rmSync(folder, { recursive: true }));
const program = installIn(folder);

it('An installed sluice serves, and has its metrics, its dashboard and its version', async () => {
  const backend = await startBackend((socket) => socket.end('from the backend'));
  onTestFinished(() => backend.close());
  const file = join(folder, 'sluice.yaml');
  writeFileSync(
    file,
    `version: 1
workers: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: [ "${backend.address}" ] } }
admin: { bind: "127.0.0.1:0" }
`,
  );
  const sluice = Sluice.spawn(['run', '-c', file, '--watch'], [], undefined, program);
  onTestFinished(() => sluice.stop());
  await sluice.logged(({ msg }) => msg === 'serving');
  expect(await visit(sluice.port('web'))).toMatchObject({ text: 'from the backend' });
  expect(await sluice.status()).toMatchObject({ version: '0.1.0', driver: 'portable' });
  for (const path of ['/metrics', '/', '/dashboard/main.js', '/dashboard/style.css']) {
    expect(await sluice.ask(path), path).toMatchObject({ code: 200 });
  }
});

it('The bundle is plain ASCII: with one other character, a file would take twice its size in memory', () => {
  const bundle = join(folder, 'dist/bundle');
  const files = readdirSync(bundle, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.js') && !file.startsWith('dashboard/'),
  );
  expect(files).toContain('main.js');
  for (const file of files) expect(isAscii(readFileSync(join(bundle, file))), file).toBe(true);
});

it('A stack trace names functions and files of the source', async () => {
  const preload = join(root, 'test/support/fail-at-output.mjs');
  const failing = ['env', `NODE_OPTIONS=--stack-trace-limit=50 --import=${preload}`];
  const sluice = Sluice.spawn(['--version'], failing, undefined, program);
  expect(await sluice.ended).toBe(1);
  expect(sluice.stderr).toMatch(
    /TypeError: No output\n(.*\n)* +at .*program\d* \(src\/cli\/program\.ts:\d+:\d+\)/,
  );
});
