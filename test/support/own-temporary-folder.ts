import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The temporary folders of a run of tests lie in one that goes with it: a test that is killed leaves nothing. */
export default function setup(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-tests-'));
  // Peers that run as other users have theirs in it.
  chmodSync(folder, 0o711);
  process.env['TMPDIR'] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
