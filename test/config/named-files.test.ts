import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readTextFile } from '../../src/config/named-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readTextFile', () => {
  test('gives the text of a file', () => {
    const file = join(folder, 'list.txt');
    writeFileSync(file, '10.0.0.1 # für alle\n');
    expect(readTextFile(file)).toBe('10.0.0.1 # für alle\n');
  });

  test('refuses a missing file, and a folder', () => {
    expect(() => readTextFile(join(folder, 'none'))).toThrow('ENOENT');
    expect(() => readTextFile(folder)).toThrow('it is not a regular file');
  });

  test.skipIf(process.platform === 'win32')('does not wait for the writer of a pipe', () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(() => readTextFile(pipe)).toThrow('it is not a regular file');
  });

  test('refuses a file that is too large', () => {
    const file = join(folder, 'large');
    writeFileSync(file, '');
    truncateSync(file, 8 * 1024 * 1024 + 1);
    expect(() => readTextFile(file)).toThrow('it is larger than 8 MiB');
  });
});
