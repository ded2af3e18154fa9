/** The commands that list sessions, tell events and reload, each as a process of its own. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest } from '../support/of-test.ts';
import { type Outcome, ran } from '../support/ran.ts';
import { Sluice } from '../support/sluice.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 2, mayLog: ['configuration not reloaded'] });

function operate(...args: readonly string[]): Promise<Outcome> {
  return ran([...args, '--admin', String(scene.sluice.adminPort)]);
}

/** So many sessions of a proxy with one backend. */
async function served(count: number): Promise<{ readonly proxy: Proxied; readonly address: string }> {
  const { address } = await scene.backend(named('ok'));
  const proxy = await scene.proxy({ backends: [address] });
  const clients = Array.from({ length: count }, () => scene.client(proxy.port));
  for (const client of clients) expect(await nextText(client)).toBe('ok');
  return { proxy, address };
}

/** `sluice events` that has connected; its lines are those of `--json`. */
async function listening(port: number, ...args: readonly string[]): Promise<Sluice> {
  const events = Sluice.spawn(['events', '--json', '--admin', String(port), ...args]);
  onTestFinished(() => events.stop());
  await eventually(async () => {
    // Tells of itself, though it finds none to close.
    await fetch(`http://127.0.0.1:${port}/api/v1/sessions/close`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"filter":{"pool":"none"}}',
    });
    expect(events.lines.length).toBeGreaterThan(0);
  });
  return events;
}

describe('sluice sessions', () => {
  it('lists those of a filter, as text and as the API has them', async () => {
    const { proxy, address } = await served(3);
    const filter = [
      '--pool',
      proxy.pool,
      '--client',
      '127.0.0.0/8',
      '--state',
      'relaying',
      '--min-bytes',
      '2B',
    ];
    const { exit, stdout, stderr } = await operate('sessions', ...filter);
    expect([exit, stderr]).toEqual([0, '']);
    const [heading = '', ...rows] = stdout.trimEnd().split('\n');
    expect(heading).toMatch(/^id +client +state +backend +age +idle +to client +to backend +pool +listener$/);
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      expect(row).toMatch(/^w\d\.\d+\.\d+ +127\.0\.0\.1:\d+ +relaying +127\.0\.0\.1:\d+ .* 2 B +0 B /);
      expect(row).toContain(address);
    }
    const two = await operate('sessions', ...filter, '--limit', '2', '--json');
    expect(JSON.parse(two.stdout)).toMatchObject({ sessions: [{}, {}], cursor: expect.any(String) });
    expect((await operate('sessions', '--limit', '2')).stderr).toBe(
      'there are more: see --limit (at most 10000)\n',
    );
    for (const none of [
      ['--older-than', '1h'],
      ['--idle-for', '1h'],
      ['--client', '10.0.0.0/8'],
      ['--min-bytes', '1MiB'],
    ]) {
      expect(JSON.parse((await operate('sessions', ...none, '--json')).stdout).sessions).toEqual([]);
    }
  });

  it('ends one by its id, and those of a filter', async () => {
    const { proxy, address } = await served(4);
    const [one] = JSON.parse((await operate('sessions', '--json', '--sort', 'age')).stdout).sessions;
    expect(await operate('sessions', '--close', one.id)).toEqual({
      exit: 0,
      stdout: '1 session ended\n',
      stderr: '',
    });
    await eventually(async () => expect(await proxy.active()).toBe(3));
    const again = await operate('sessions', '--close', one.id);
    expect([again.exit, again.stderr]).toEqual([1, `sluice: There is no open session ${one.id}\n`]);

    const some = await operate('sessions', '--close', '--backend', address, '--limit', '2', '--how', 'fin');
    expect([some.exit, some.stdout]).toEqual([0, '2 sessions ended\n']);
    await eventually(async () => expect(await proxy.active()).toBe(1));
    const rest = await operate(
      'sessions',
      '--close',
      '--all',
      '--over',
      '100ms',
      '--reason',
      'test',
      '--json',
    );
    expect([rest.exit, JSON.parse(rest.stdout)]).toEqual([0, { matched: 1 }]);
    await eventually(async () => expect(await proxy.active()).toBe(0));
    expect(await proxy.reasons()).toEqual({ operator: 4 });
  });

  it('names the nearest where nothing was found', async () => {
    const { proxy, address } = await served(0);
    const wrong = { '--pool': proxy.pool, '--listener': proxy.listener, '--backend': address };
    for (const [option, name] of Object.entries(wrong)) {
      for (const args of [[], ['--close']]) {
        const { exit, stderr } = await operate('sessions', ...args, option, `${name}0`);
        expect([exit, stderr]).toEqual([1, expect.stringContaining(`did you mean "${name}"?`)]);
      }
    }
  });
});

describe('sluice events', () => {
  it('tells what happens until it is interrupted, a line for each', async () => {
    const { proxy, address } = await served(0);
    const events = await listening(scene.sluice.adminPort);
    await operate('drain', proxy.pool, address, '--reason', 'deploy');
    await events.logged((line) => line['kind'] === 'operator' && line['reason'] === 'deploy');
    const state = await events.logged((line) => line['kind'] === 'state');
    expect(state).toMatchObject({
      pool: proxy.pool,
      backend: address,
      state: 'drain',
      id: expect.any(String),
    });
    events.signal('SIGINT');
    expect(await events.ended).toBe(0);

    const text = Sluice.spawn([
      'events',
      '--admin',
      String(scene.sluice.adminPort),
      '--after',
      String(state['id']),
    ]);
    scene.afterwards(() => text.stop());
    await eventually(() =>
      expect(text.stdout).toMatch(/^\S+Z operator +127\.0\.0\.1 PATCH \S+ 200 \(deploy\)$/m),
    );
  });

  it('goes on after a restart of the proxy, and says so', async () => {
    const { address } = await backendOfTest(named('ok'));
    const port = await freePort();
    const start = async (): Promise<Sluice> => {
      const sluice = Sluice.spawn(['forward', '0', address, '--admin', String(port)]);
      onTestFinished(() => sluice.stop());
      await sluice.logged(({ msg }) => msg === 'serving');
      return sluice;
    };
    const first = await start();
    const events = await listening(port);
    await first.stop();
    await eventually(() => expect(events.stderr).toMatch(/^sluice: The proxy .*; it is tried again\n$/));
    await start();
    await events.logged((line) => line['kind'] === 'gap');
    await ran(['drain', 'targets', address, '--admin', String(port)]);
    await events.logged((line) => line['kind'] === 'state');
  });

  it('ends with 1 where no proxy is there at first', async () => {
    const { exit, stderr } = await ran(['events', '--admin', String(await freePort())]);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('No sluice answers at ')]);
  });
});

describe('sluice reload', () => {
  it('shows what has changed, or that nothing has', async () => {
    const { proxy } = await served(0);
    expect(await operate('reload')).toEqual({
      exit: 0,
      stdout: 'reloaded: nothing has changed\n',
      stderr: '',
    });
    const other = await scene.backend(named('other'));
    const before = `"${proxy.pool}":{"backends":[`;
    scene.sluice.rewrite(scene.sluice.config.replace(before, `${before}"${other.address}",`));
    const { exit, stdout } = await operate('reload');
    expect([exit, stdout]).toEqual([0, `reloaded\nadded backends: ${proxy.pool}/${other.address}\n`]);
  });

  it('prints every mistake with its place, and ends with 1', async () => {
    const { proxy } = await served(0);
    const good = scene.sluice.config;
    scene.sluice.rewrite(`${good.replace('"workers":2', '"workers":"many"').slice(0, -1)},"nonsense":1}`);
    const { exit, stdout, stderr } = await operate('reload');
    expect([exit, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /sluice\.yaml:1:\d+ workers: Expected .*\n.*:1:\d+ nonsense: .*\n2 mistakes: the proxy runs on/,
    );
    const json = JSON.parse((await operate('reload', '--json')).stdout);
    expect(json).toMatchObject({ errors: [{ path: 'workers', line: 1 }, { path: 'nonsense' }] });
    scene.sluice.rewrite(good);
    expect((await operate('reload')).exit).toBe(0);
    expect(await proxy.active()).toBe(0);
  });
});
