import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { connected, echo, ending, named, nextText } from '../support/backends.ts';
import { backendOfTest } from '../support/of-test.ts';
import { Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));

afterAll(() => rmSync(folder, { recursive: true }));

describe('sluice', () => {
  it.each([
    ['a word that is no command', ['nonsense']],
    ['a file that can not be read', ['run', '-c', tmpdir()]],
  ])('is misused with %s: 2, and a word on stderr', async (_, args) => {
    const { exit, stdout, stderr } = await ran(...args);
    expect(exit, stderr).toBe(2);
    // The log of `run` says it too, where it is JSON.
    expect(stdout.replaceAll(/^\{"level":"fatal",.*\n/gm, '')).toBe('');
    expect(stderr).not.toBe('');
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  it('tells its version', async () => {
    expect(await ran('--version')).toMatchObject({ exit: 0, stdout: '0.1.0\n', stderr: '' });
  });
});

describe('sluice check', () => {
  const good = file('good.yaml', configFor('127.0.0.1:9000'));

  it('prints what would run', async () => {
    const { exit, stdout, stderr } = await ran('check', '-c', good);
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^listener +web on 127\.0\.0\.1:0 to pool app$/m);
    expect(stdout).toMatch(/^pool +app, round-robin, not health-checked$/m);
    expect(stdout).toMatch(/^ +127\.0\.0\.1:9000, weight 1$/m);
  });

  it('prints the whole configuration as JSON', async () => {
    const { exit, stdout } = await ran('check', '--json', '-c', good);
    expect(exit).toBe(0);
    const checked: unknown = JSON.parse(stdout);
    expect(checked).toMatchObject({ listeners: [{ name: 'web', pool: 'app' }], pools: [{ name: 'app' }] });
  });

  it('names file, line and column of every mistake', async () => {
    const wrong = file('wrong.yaml', `${configFor('127.0.0.1:9000')}nonsense: 1\nshutdown: { grace: 30 }\n`);
    const { exit, stdout, stderr } = await ran('check', '-c', wrong);
    expect([exit, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/wrong\.yaml:6:1 nonsense: /);
    expect(stderr).toMatch(/wrong\.yaml:7:20 shutdown\.grace: Expected .*, found 30/);
  });
});

it('sluice schema prints the JSON Schema of the configuration', async () => {
  const { exit, stdout } = await ran('schema');
  expect(exit).toBe(0);
  const schema: unknown = JSON.parse(stdout);
  expect(schema).toMatchObject({ type: 'object', required: ['version', 'listeners', 'pools'] });
});

describe('sluice run', () => {
  it('ends with 1 where the port is in use, and says which', async () => {
    const { address } = await backendOfTest(echo);
    const taken = file('taken.yaml', configFor('127.0.0.1:9000', address));
    const { exit, stderr } = await ran('run', '-c', taken);
    expect(exit).toBe(1);
    expect(stderr).toContain(address);
    expect(stderr).toMatch(/in use/);
  });

  it('ends with 1 where another sluice has the port, whose workers could share it', async () => {
    const first = spawned('forward', '0', '9000');
    await first.logged(({ msg }) => msg === 'serving');
    const second = file('second.yaml', configFor('127.0.0.1:9000', `127.0.0.1:${first.port('forward')}`));
    const { exit, stderr } = await ran('run', '-c', second);
    expect(exit).toBe(1);
    expect(stderr).toMatch(/in use/);
  });

  it('ends with 1 where the port of the admin API is in use', async () => {
    const { address } = await backendOfTest(echo);
    const { exit, stderr } = await ran(
      'run',
      '-c',
      file('admin.yaml', configFor(address, undefined, address)),
    );
    expect([exit, stderr]).toEqual([1, expect.stringContaining(address)]);
  });
});

describe('sluice forward', () => {
  it('serves without a configuration file until it is stopped', async () => {
    const [one, two] = [await backendOfTest(named('1')), await backendOfTest(named('2'))];
    const sluice = spawned('forward', '0', String(one.port), two.address, '--balance', 'round-robin');
    await sluice.logged(({ msg }) => msg === 'serving');
    let all = '';
    for (let visit = 0; visit < 4; visit++) {
      const client = await connected(sluice.port('forward'));
      all += await nextText(client);
      client.end();
      await ending(client);
    }
    expect(new Set(all)).toEqual(new Set('12'));
    sluice.signal('SIGTERM');
    expect(await sluice.ended).toBe(0);
  });
});

describe('sluice healthcheck', () => {
  it('ends with 0 where a sluice is ready and with 1 where none is', async () => {
    const { address } = await backendOfTest(echo);
    const sluice = spawned('forward', '0', address, '--admin', '127.0.0.1:0');
    await sluice.logged(({ msg }) => msg === 'serving');
    const admin = `127.0.0.1:${sluice.adminPort}`;
    expect(await ran('healthcheck', '--admin', admin)).toMatchObject({ exit: 0, stderr: '' });
    await sluice.stop();
    const { exit, stderr } = await ran('healthcheck', '--admin', admin);
    expect([exit, stderr]).toEqual([1, expect.stringContaining(admin)]);
  });

  it('asks the proxy and not its file, whatever is wrong with that', async () => {
    const { address } = await backendOfTest(echo);
    const sluice = spawned('forward', '0', address, '--admin', '127.0.0.1:0');
    await sluice.logged(({ msg }) => msg === 'serving');
    for (const mistake of [
      'new: key\n',
      `workers: \${${'NOT_SET'}}\n`,
      'listeners: { w: { bind: ":1", tls: { certificates: [{ cert: no, key: no }] } } }\n',
      'pools: [\n',
    ]) {
      const broken = file('broken.yaml', `${mistake}admin:\n  bind: 127.0.0.1:${sluice.adminPort}\n`);
      expect([mistake, (await ran('check', '-c', broken)).exit]).toEqual([mistake, 2]);
      expect(await ran('healthcheck', '-c', broken)).toMatchObject({ exit: 0, stderr: '' });
    }
  });

  it('is misused where the file turns the admin API off', async () => {
    const off = file('off.yaml', 'version: 1\n');
    expect(await ran('healthcheck', '-c', off)).toMatchObject({ exit: 2 });
  });
});

describe('sluice demo', () => {
  it('prints rows about three backends and ends by itself', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const { exit, stdout, stderr } = await ran(
      ...['demo', '--for', '2s', '--port', String(port), '--admin-port', String(adminPort)],
    );
    expect([exit, stderr]).toEqual([0, '']);
    expect(stdout).toContain(`curl 127.0.0.1:${port} `);
    const rows = stdout.split('\n').filter((line) => line.split(' | ').length === 3);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows.at(-1)).toMatch(/^127\.0\.0\.1:\d+ up, breaker closed, [1-9]\d* active, [1-9]\d* served/);
  });

  it.each([
    { option: '--port', of: (port: number) => ['--port', `${port}`, '--admin-port', '1'] },
    { option: '--admin-port', of: (port: number) => ['--port', '1', '--admin-port', `${port}`] },
  ])('says in a sentence that the port of $option is in use', async ({ option, of }) => {
    const { port } = await backendOfTest(() => {});
    expect(await ran('demo', ...of(port))).toEqual({
      exit: 1,
      stdout: '',
      stderr: `sluice: 127.0.0.1:${port} is in use: stop what listens there, or choose another port with ${option}\n`,
    });
  });
});

interface Outcome {
  readonly exit: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

async function ran(...args: readonly string[]): Promise<Outcome> {
  const sluice = spawned(...args);
  const exit = await sluice.ended;
  return { exit, stdout: sluice.stdout, stderr: sluice.stderr };
}

function spawned(...args: readonly string[]): Sluice {
  const sluice = Sluice.spawn(args);
  onTestFinished(() => sluice.stop());
  return sluice;
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function configFor(backendAddress: string, bind = '127.0.0.1:0', admin = '127.0.0.1:0'): string {
  return `version: 1
listeners: { web: { bind: "${bind}", pool: app } }
pools:
  app: { backends: [ "${backendAddress}" ] }
admin: { bind: "${admin}" }
`;
}
