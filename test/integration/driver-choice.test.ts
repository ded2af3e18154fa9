import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { installIn } from '../support/installation.ts';
import { nodeNeedsItsRing } from '../support/own-ring.ts';
import { Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const running: Sluice[] = [];

afterEach(() => Promise.all(running.splice(0).map((sluice) => sluice.stop())));
afterAll(() => rmSync(folder, { recursive: true }));

/** A place to run in: what stands before the command, which installation runs, and what must be said of it. */
interface Place {
  readonly name: string;
  readonly wrap?: readonly string[];
  readonly program?: string;
  readonly says: string;
}

const refusing: readonly Place[] = [
  {
    call: 'io_uring_setup',
    number: 425,
    code: 'EPERM',
    errno: 1,
    says: 'forbidden (EPERM), as by the seccomp',
  },
  {
    call: 'io_uring_register',
    number: 427,
    code: 'EPERM',
    errno: 1,
    says: 'forbidden (EPERM), as by the seccomp',
  },
  {
    call: 'io_uring_enter',
    number: 426,
    code: 'EPERM',
    errno: 1,
    says: 'forbidden (EPERM), as by the seccomp',
  },
  { call: 'io_uring_setup', number: 425, code: 'ENOSYS', errno: 38, says: 'no io_uring_setup (ENOSYS)' },
  { call: 'io_uring_setup', number: 425, code: 'EINVAL', errno: 22, says: 'the kernel is older' },
  { call: 'io_uring_register', number: 427, code: 'EINVAL', errno: 22, says: 'the kernel is older' },
].map(({ call, number, code, errno, says }) => ({
  name: `where ${call} gives ${code}`,
  wrap: ['env', `NODE_OPTIONS=--import=${refuseSystemCall()}`, `SLUICE_TEST_REFUSES=${number}:${errno}`],
  says,
}));

const withoutKoffi: readonly Place[] = [
  { name: 'where koffi is not installed', program: installed([]), says: 'koffi is not installed' },
  { name: 'where koffi has no binary', program: installed(['koffi']), says: 'koffi does not load: ' },
];

// The kernel's answer is changed by way of koffi, so that both must be there to begin with; and io_uring_enter can't
// be taken from a Node that needs it itself.
const testable = refusing.filter(({ name }) => !name.includes('io_uring_enter') || !nodeNeedsItsRing());
const here = whyNot() === undefined ? testable : [];
const places = [...withoutKoffi, ...here];
/** One of each kind, for what is said in the same way of every reason. */
const examples = [...withoutKoffi.slice(0, 1), ...here.slice(0, 1)];

describe.each(places)('The uring driver $name', ({ wrap, program, says }) => {
  it('is told by check, where it alone is wanted, as what does not run: exit code 1', async () => {
    const { exit, stderr, stdout } = await ended(spawned('check', 'uring', wrap, program));
    expect([exit, stderr]).toEqual([1, '']);
    expect(stdout).toContain('driver    uring, which does not run here: ');
    expect(stdout).toContain(says);
  });

  it('leaves the clients of driver: auto to the portable one, which says why in one line and its status', async () => {
    const sluice = spawned('run', 'auto', wrap, program);
    await sluice.logged(({ msg }) => msg === 'serving');
    expect(await sluice.status()).toMatchObject({
      driver: 'portable',
      driverReason: expect.stringContaining(says),
    });
    const telling = sluice.lines.filter((line) => JSON.stringify(line).includes('uring'));
    expect(telling).toEqual([expect.objectContaining({ driver: 'portable', msg: 'starting' })]);
    expect(sluice.stderr).toBe('');
  });
});

describe.each(examples)('The uring driver $name', ({ wrap, program, says }) => {
  it('is an error of run, where it alone is wanted, that says why: exit code 1', async () => {
    const { exit, stderr, stdout } = await ended(spawned('run', 'uring', wrap, program));
    expect(exit).toBe(1);
    // Whoever reads the log hears of it too.
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'fatal', msg: 'not started', message: expect.stringContaining(says) },
    ]);
    expect(stderr).toContain('sluice: The uring driver does not run here: ');
    expect(stderr).toContain(says);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('is told by check of driver: auto as why the portable one would run', async () => {
    const { exit, stdout } = await ended(spawned('check', 'auto', wrap, program));
    expect([exit, stdout]).toEqual([
      0,
      expect.stringContaining('driver    portable, because the uring driver'),
    ]);
    expect(stdout).toContain(says);
  });
});

it('status and the log say which driver runs, and why', async () => {
  const sluice = spawned('run', 'portable');
  const starting = await sluice.logged(({ msg }) => msg === 'starting');
  await sluice.logged(({ msg }) => msg === 'serving');
  expect(starting).toMatchObject({ driver: 'portable', why: 'the configuration asks for it' });
  const status = await sluice.status();
  expect(status).toMatchObject({ driver: 'portable', driverReason: 'the configuration asks for it' });
  const { stdout } = await ended(spawned('check', 'portable', [], undefined, ['--json']));
  expect(JSON.parse(stdout)).toMatchObject({
    driver: 'portable',
    driverReason: 'the configuration asks for it',
  });
});

function spawned(
  command: 'run' | 'check',
  driver: string,
  wrap: readonly string[] = [],
  program?: string,
  more: readonly string[] = [],
): Sluice {
  const file = join(folder, `${driver}.yaml`);
  writeFileSync(file, `driver: ${driver}\n${config}`);
  const sluice = Sluice.spawn([command, '-c', file, ...more], wrap, undefined, program);
  running.push(sluice);
  return sluice;
}

async function ended(
  sluice: Sluice,
): Promise<{ readonly exit: unknown; readonly stdout: string; readonly stderr: string }> {
  const exit = await sluice.ended;
  return { exit, stdout: sluice.stdout, stderr: sluice.stderr };
}

function installed(copied: readonly string[]): string {
  return installIn(mkdtempSync(join(folder, 'installed-')), copied);
}

function refuseSystemCall(): string {
  return new URL('../support/refuse-system-call.mjs', import.meta.url).href;
}

const config = `version: 1
workers: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: [ "127.0.0.1:9" ] } }
admin: { bind: "127.0.0.1:0" }
`;
