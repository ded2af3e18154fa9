/** The commands that talk to a running proxy, each as a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { connected, named, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type Outcome, ran } from '../support/ran.ts';
import { executable, nodeBinary, Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'secret\n');
let [one, two]: TestBackend[] = [];
let sluice: Sluice;

beforeAll(async () => {
  [one, two] = [await startBackend(named('one')), await startBackend(named('two'))];
  sluice = await Sluice.run(
    JSON.stringify({
      version: 1,
      workers: 2,
      listeners: {
        web: { bind: '127.0.0.1:0', pool: 'app' },
        other: { bind: '127.0.0.1:0', pool: 'checked' },
      },
      pools: {
        app: { backends: [first(), second()] },
        checked: { backends: [first()], healthCheck: { type: 'tcp', interval: '100ms' } },
      },
      admin: {
        bind: '127.0.0.1:0',
        token: 'secret',
        tokens: [{ name: 'board', token: 'looks', may: 'read' }],
      },
    }),
  );
});
afterAll(async () => {
  await sluice.stop();
  await Promise.all([one, two].map((backend) => backend?.close()));
  rmSync(folder, { recursive: true });
});

/** What a test has left is gone. */
afterEach(() =>
  eventually(async () => {
    const { pools } = await sluice.status('secret');
    for (const { backends } of Object.values(pools))
      for (const { active } of backends) expect(active).toBe(0);
  }),
);

const first = (): string => one?.address ?? '';
const second = (): string => two?.address ?? '';

/** With the address and the token of the proxy. */
function operate(...args: readonly string[]): Promise<Outcome> {
  return ran([...args, '--admin', String(sluice.adminPort)], { SLUICE_ADMIN_TOKEN: 'secret' });
}

async function stateOf(address: string): Promise<unknown> {
  const asked = { authorization: 'Bearer secret' };
  return (await sluice.api(`GET pools/app/backends/${address}`, undefined, asked)).body.state;
}

describe('sluice status', () => {
  it('shows the process, its listeners, pools and backends', async () => {
    const { exit, stdout, stderr } = await operate('status');
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^sluice 0\.1\.0, serving for /);
    expect(stdout).toMatch(/^web +127\.0\.0\.1:\d+ +on +0 +unlimited +\d+$/m);
    expect(stdout).toMatch(/^pool app: round-robin, 0 sessions$/m);
    for (const address of [first(), second()]) expect(stdout).toContain(`\n${address}  ready  `);
    expect(stdout).not.toContain('\x1b');
  });

  it('has the answer of the API as JSON, whole or of a pool', async () => {
    const whole = JSON.parse((await operate('status', '--json')).stdout);
    expect(whole).toMatchObject({ phase: 'serving', pools: { app: {} }, overrides: [] });
    const pool = JSON.parse((await operate('status', 'app', '--json')).stdout);
    expect(pool).toMatchObject({ balance: 'round-robin', backends: [{}, {}], overrides: [] });
  });

  it('names the nearest of a pool that is not there', async () => {
    const { exit, stdout, stderr } = await operate('status', 'apq');
    expect([exit, stdout]).toEqual([1, '']);
    expect(stderr).toBe('sluice: There is no pool "apq"; did you mean "app"?\n');
  });
});

describe('The proxy is found', () => {
  const drained = { exit: 0, stderr: '', stdout: expect.stringContaining(': drain, ') };
  const drain = () => ['drain', 'app', first()];
  const configured = (): string => {
    const file = join(folder, 'sluice.yaml');
    const bind = `127.0.0.1:${sluice.adminPort}`;
    writeFileSync(file, `pools: \${NOT_SET}\nadmin: { bind: "${bind}", token: "\${OF_FILE}" }\n`);
    return file;
  };

  it('by --admin and --token-file, by SLUICE_ADMIN and SLUICE_ADMIN_TOKEN, by the file and its token', async () => {
    const port = String(sluice.adminPort);
    expect(await ran([...drain(), '--admin', port, '--token-file', tokenFile])).toEqual(drained);
    const env = { SLUICE_ADMIN: `127.0.0.1:${port}`, SLUICE_ADMIN_TOKEN: 'secret' };
    expect(await ran(drain(), env)).toEqual(drained);
    expect(await ran([...drain(), '-c', configured()], { OF_FILE: 'secret', SLUICE_ADMIN: '1' })).toEqual(
      drained,
    );
    expect((await operate('ready', 'app', first())).exit).toBe(0);
  });

  it('and refuses who has no token, a wrong one, or one that may only read', async () => {
    const admin = ['--admin', String(sluice.adminPort)];
    for (const token of ['', 'wrong']) {
      const { exit, stderr } = await ran([...drain(), ...admin], { SLUICE_ADMIN_TOKEN: token });
      expect([exit, stderr]).toEqual([
        1,
        expect.stringMatching(/^sluice: The proxy wants (a|another) token: set /),
      ]);
    }
    const { exit, stdout, stderr } = await ran([...drain(), ...admin, '--json'], {
      SLUICE_ADMIN_TOKEN: 'looks',
    });
    expect([exit, JSON.parse(stdout)]).toEqual([1, { error: expect.stringContaining('may only read') }]);
    expect(stderr).toMatch(/^sluice: Expected a token that may operate; board may only read/);
    expect(await stateOf(first())).toBe('ready');
  });

  it('or a sentence says that none answers there', async () => {
    const { exit, stderr } = await ran(['status', '--admin', String(await freePort())]);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(/^sluice: No sluice answers at 127\.0\.0\.1:\d+: /),
    ]);
  });

  it('never by a guess where a file is named', async () => {
    const { exit, stderr } = await ran([...drain(), '-c', join(folder, 'missing.yaml')]);
    expect([exit, stderr]).toEqual([2, expect.stringContaining('missing.yaml does not tell admin.bind')]);
  });

  it('over a unix socket', async () => {
    const path = join(folder, 'admin.sock');
    const other = Sluice.spawn(['forward', '0', first(), '--admin', `unix:${path}`]);
    try {
      await other.logged(({ msg }) => msg === 'serving');
      const { exit, stdout } = await ran(['drain', 'targets', first(), '--admin', `unix:${path}`]);
      expect([exit, stdout]).toEqual([0, `targets ${first()}: drain, weight 1, 0 sessions\n`]);
    } finally {
      await other.stop();
    }
  });
});

describe('sluice drain, maint and ready', () => {
  it('waits for the last session, and says what it waits for', async () => {
    const client = await connected(sluice.port('web'));
    const address = (await nextText(client)) === 'one' ? first() : second();
    const admin = ['--admin', String(sluice.adminPort), '--token-file', tokenFile];
    const draining = Sluice.spawn(['drain', 'app', address, '--wait', '--reason', 'deploy', ...admin]);
    await eventually(() => expect(draining.stderr).toBe(`waits for 1 session of ${address} to end\n`));
    expect(await stateOf(address)).toBe('drain');
    client.end();
    expect(await draining.ended).toBe(0);
    expect(draining.stdout).toBe(`app ${address}: drain, weight 1, 0 sessions\n`);
    const { stdout } = await operate('status', 'app');
    expect(stdout).toMatch(/^changed: app \S+ state drain \(configured ready\), by token: deploy$/m);
    const ready = await operate('ready', 'app', address, '--wait', '--json');
    expect(JSON.parse(ready.stdout)).toMatchObject({ state: 'ready', unavailable: null, overrides: [] });
  });

  it('does not wait longer than it may', async () => {
    const clients = [await connected(sluice.port('web')), await connected(sluice.port('web'))];
    for (const client of clients) await nextText(client);
    const { exit, stderr } = await operate('drain', 'app', first(), '--wait', '--timeout', '200ms');
    expect(exit).toBe(1);
    expect(stderr).toContain(`sluice: The time is over, and ${first()} is not idle: it has 1 session\n`);
    for (const client of clients) client.destroy();
    expect((await operate('ready', 'app', first())).exit).toBe(0);
  });

  it('stops waiting where somebody has it ready again', async () => {
    const clients = [await connected(sluice.port('web')), await connected(sluice.port('web'))];
    for (const client of clients) await nextText(client);
    const draining = operate('drain', 'app', first(), '--wait', '--for', '100ms');
    const { exit, stderr } = await draining;
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(/ is in state ready again, and it has 1 session\n$/),
    ]);
    for (const client of clients) client.destroy();
  });

  it('closes sessions over a time', async () => {
    const clients = await Promise.all([1, 2, 3, 4].map(() => connected(sluice.port('web'))));
    const served = await Promise.all(clients.map(nextText));
    for (const client of clients) client.resume();
    const { exit, stdout } = await operate('drain', 'app', first(), '--close-over', '200ms', '--wait');
    expect([exit, stdout]).toEqual([0, `app ${first()}: drain, weight 1, 0 sessions\n`]);
    await eventually(() =>
      expect(clients.map(({ closed }) => closed)).toEqual(served.map((name) => name === 'one')),
    );
    for (const client of clients) client.destroy();
    expect((await operate('ready', 'app', first())).exit).toBe(0);
  });

  it('has a backend back from maintenance once it has passed a check', async () => {
    expect((await operate('maint', 'checked', first())).stdout).toContain(`checked ${first()}: maint, `);
    const { exit, stdout } = await operate('ready', 'checked', first(), '--wait');
    expect([exit, stdout]).toEqual([0, `checked ${first()}: ready, weight 1, 0 sessions\n`]);
  });

  it('names the nearest backend, and changes nothing', async () => {
    const wrong = first().replace(/.$/, 'x');
    const { exit, stderr } = await operate('drain', 'app', wrong);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringMatching(/^sluice: There is no backend .*; did you mean /),
    ]);
  });
});

describe('sluice weight', () => {
  it('gives a backend a share of its weight, and the configured one back', async () => {
    expect((await operate('weight', 'app', first(), '50%')).stdout).toBe(
      `app ${first()}: ready, weight 0.5, 0 sessions\n`,
    );
    const { stdout } = await operate('weight', 'app', first(), '7', '--for', '30m', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      weight: 7,
      overrides: [{ field: 'weight', value: 7, configured: 1 }],
    });
    expect((await operate('weight', 'app', first(), '0')).stdout).toContain('takes none now: drained');
    expect((await operate('weight', 'app', first(), 'configured')).stdout).toContain(': ready, weight 1, ');
  });
});

describe('A command to a running proxy', () => {
  it('says nothing of a reader that has had enough', async () => {
    const child = spawn(nodeBinary, [executable, 'status', '--admin', String(sluice.adminPort)], {
      env: { ...process.env, SLUICE_ADMIN_TOKEN: 'secret' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.destroy();
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([0, '']);
  });
});
