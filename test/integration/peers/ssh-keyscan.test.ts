import { beforeAll, describe, expect, it } from 'vitest';
import { installed, output } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { openScene } from '../scene.ts';
import { canRunSshd, type Sshd, startSshd } from './sshd.ts';

const canScan = canRunSshd && installed('ssh-keyscan');

describe.skipIf(!canScan)('ssh-keyscan (skipped where OpenSSH is not installed)', () => {
  const scene = openScene();
  const afterwards = suiteEnds();
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
    afterwards(sshd.stop);
  });

  it('waits for the banner, and gets it from the fallback once inspect.timeout is over', async () => {
    const proxy = await scene.proxy({
      backends: [`127.0.0.1:${sshd.port}`],
      listener: { inspect: { timeout: '200ms' }, routes: [{ when: { protocol: 'tls' }, pool: 'nobody' }] },
      pools: { nobody: { backends: [await scene.deadBackend()] } },
    });
    const keys = await output('ssh-keyscan', ['-t', 'ed25519', '-p', `${proxy.port}`, '127.0.0.1']);
    expect(keys).toBe(`[127.0.0.1]:${proxy.port} ${sshd.hostKey}`);
    const [line] = await proxy.closed();
    expect(line).toMatchObject({ pool: proxy.pool });
  });
});
