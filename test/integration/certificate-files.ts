import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { selfSigned } from '../support/certificate.ts';

/** A pair for these names in files, as configurations name them, until the file's tests are over. */
export function certificateFiles(...names: readonly string[]): {
  readonly cert: string;
  readonly key: string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'a.pem'), join(folder, 'a.key')];
  const pair = selfSigned(...names);
  writeFileSync(cert, pair.cert);
  writeFileSync(key, pair.key);
  return { cert, key };
}
