import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dropped, withLastWords } from '../../bench/stage/last-words.ts';

test('dropped reads what the kernel counts of listening sockets', () => {
  const text = 'TcpExt: SyncookiesSent ListenOverflows TW\nTcpExt: 3 4 5\nIpExt: InNoRoutes\nIpExt: 0\n';
  expect(Object.fromEntries(dropped(text))).toEqual({ SyncookiesSent: 3, ListenOverflows: 4 });
  expect(dropped('').size).toBe(0);
});

test('withLastWords adds the end of the log and of stderr to an error', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const log = join(folder, 'log');
  writeFileSync(log, `${Array.from({ length: 30 }, (_, i) => `line ${i}`).join('\n')}\n`);
  const error = withLastWords(new Error('3 errors'), { log, stderr: () => 'ouch\n' }, dropped());
  const { message } = error as Error; // It was given one.
  expect(message).toMatch(/^3 errors\n {2}log:\n {4}line 20\n/);
  expect(message).toContain('    line 29\n  stderr:\n    ouch');
  expect(message).not.toContain('line 19');
  rmSync(folder, { recursive: true });
});
