import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { connected, echo, ending, startBackend } from '../support/backends.ts';
import { nodeNeedsItsRing } from '../support/own-ring.ts';
import { Sluice } from '../support/sluice.ts';

const published = fileURLToPath(new URL('../../config/seccomp-io-uring.json', import.meta.url));
const calls = ['io_uring_setup', 'io_uring_enter', 'io_uring_register'];

interface Profile {
  readonly defaultAction: string;
  readonly syscalls: readonly { readonly names: readonly string[]; readonly action: string }[];
}
const profile = JSON.parse(readFileSync(published, 'utf8')) as Profile; // What is asserted of it is all that is used.

describe('config/seccomp-io-uring.json', () => {
  it('refuses by default and allows the three calls of io_uring', () => {
    expect(profile.defaultAction).toBe('SCMP_ACT_ERRNO');
    const allowed = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');
    expect(allowed.flatMap(({ names }) => names)).toEqual(expect.arrayContaining(calls));
  });

  it("keeps from a container what Docker's own profile keeps from it", () => {
    const allowed = profile.syscalls.filter(({ action }) => action === 'SCMP_ACT_ALLOW');
    const names = new Set(allowed.flatMap(({ names }) => names));
    for (const name of [
      'mount',
      'unshare',
      'setns',
      'bpf',
      'keyctl',
      'kexec_load',
      'init_module',
      'ptrace',
    ]) {
      expect(names.has(name), name).toBe(false);
    }
  });
});

/** Profiles are for Linux, and for those who have the library that container runtimes apply them with. */
const canApply = whyNot() === undefined && hasLibrary();

describe.skipIf(!canApply)('sluice under a profile (skipped without io_uring or libseccomp.so.2)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  const running: Sluice[] = [];
  afterEach(() => Promise.all(running.splice(0).map((sluice) => sluice.stop())));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('serves with the uring driver under the published one', async () => {
    const backend = await startBackend(echo);
    try {
      const sluice = spawned(published, backend.address);
      await sluice.logged(({ msg }) => msg === 'serving');
      expect(await sluice.status()).toMatchObject({ driver: 'uring' });
      const client = await connected(sluice.port('web'));
      client.end('hello');
      expect((await ending(client)).text).toBe('hello');
      sluice.signal('SIGTERM');
      expect(await sluice.ended, sluice.stderr).toBe(0);
    } finally {
      await backend.close();
    }
  });

  it.skipIf(nodeNeedsItsRing())('can not under the same without the three calls', async () => {
    const without = join(folder, 'without.json');
    const syscalls = profile.syscalls.filter(({ names }) => !names.some((name) => calls.includes(name)));
    writeFileSync(without, JSON.stringify({ ...profile, syscalls }));
    const sluice = spawned(without, '127.0.0.1:9');
    expect(await sluice.ended).toBe(1);
    expect(sluice.stderr).toContain('io_uring_setup is forbidden (EPERM)');
  });

  function spawned(file: string, backend: string): Sluice {
    const config = join(folder, 'sluice.yaml');
    writeFileSync(
      config,
      JSON.stringify({
        version: 1,
        driver: 'uring',
        workers: 2,
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
        pools: { app: { backends: [backend] } },
        admin: { bind: '127.0.0.1:0' },
      }),
    );
    const apply = new URL('../support/apply-seccomp-profile.mjs', import.meta.url).href;
    const sluice = Sluice.spawn(
      ['run', '-c', config],
      ['env', `NODE_OPTIONS=--import=${apply}`, `SLUICE_TEST_PROFILE=${file}`],
    );
    running.push(sluice);
    return sluice;
  }
});

function hasLibrary(): boolean {
  try {
    createRequire(import.meta.url)('koffi').load('libseccomp.so.2');
    return true;
  } catch {
    return false;
  }
}
