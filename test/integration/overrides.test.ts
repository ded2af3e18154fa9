/** What an operator changes of backends while the executable runs: at once for all workers, over reloads and restarts. */
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { connected, named, nextText, startBackend, type TestBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { Sluice } from '../support/sluice.ts';

const running: { stop(): Promise<unknown> }[] = [];
afterAll(() => Promise.all(running.map((one) => one.stop())));

async function backend(name: string): Promise<TestBackend> {
  const started = await startBackend(named(name));
  running.push({ stop: () => started.close() });
  return started;
}

function configOf(backends: readonly object[], more: object = {}): string {
  return JSON.stringify({
    version: 1,
    workers: 2,
    listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
    pools: { app: { backends, ...more } },
    admin: { bind: '127.0.0.1:0', state: 'kept/state.json' },
  });
}

async function start(config: string, folder?: string): Promise<Sluice> {
  const sluice = folder === undefined ? await Sluice.run(config) : await Sluice.runIn(folder, config);
  running.push({ stop: () => sluice.stop() });
  return sluice;
}

async function change(sluice: Sluice, { address }: TestBackend, patch: object) {
  const path = `/api/v1/pools/app/backends/${address}`;
  const { code, body } = await sluice.ask(
    path,
    'PATCH',
    { 'content-type': 'application/json' },
    JSON.stringify(patch),
  );
  return { code, body: JSON.parse(body) };
}

/** Who serves so many clients that come one after the other. */
async function visits(sluice: Sluice, count: number): Promise<readonly string[]> {
  const names: string[] = [];
  for (let visit = 0; visit < count; visit++) {
    const client = await connected(sluice.port('web'));
    names.push(await nextText(client));
    client.destroy();
  }
  return names;
}

describe('An operator', () => {
  it('drains a backend and has it back, while its sessions stay', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    const sluice = await start(configOf([{ address: one.address }, { address: two.address }]));
    const clients = await Promise.all(Array.from({ length: 4 }, () => connected(sluice.port('web'))));
    for (const client of clients) await nextText(client);
    const held = one.open.size;
    expect(held).toBeGreaterThan(0);

    const { body } = await change(sluice, one, { state: 'drain', reason: 'deploy' });
    expect(body).toMatchObject({ effective: 'drain', unavailable: 'drained', active: held });
    expect(new Set(await visits(sluice, 20))).toEqual(new Set(['two']));
    expect(one.open.size).toBe(held);
    const line = await sluice.logged(({ msg }) => msg === 'operator');
    expect(line).toMatchObject({ by: '127.0.0.1', reason: 'deploy', after: [{ value: 'drain' }] });

    await change(sluice, one, { state: null });
    expect(new Set(await visits(sluice, 8))).toEqual(new Set(['one', 'two']));
    for (const client of clients) client.destroy();
  });

  it('halves a weight of 1, exactly', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    const sluice = await start(configOf([{ address: one.address }, { address: two.address }]));
    expect((await change(sluice, one, { weight: '50%' })).body.weight).toBe(0.5);
    const served = await visits(sluice, 30);
    expect(served.filter((name) => name === 'one')).toHaveLength(10);
  });

  it('ends a change by itself when its time is over', async () => {
    const one = await backend('one');
    const sluice = await start(configOf([{ address: one.address }]));
    await change(sluice, one, { state: 'drain', for: '200ms' });
    await sluice.logged(({ msg }) => msg === 'override ended');
    expect(await visits(sluice, 2)).toEqual(['one', 'one']);
  });

  it('holds over reloads and restarts, until the file says something new', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const config = configOf([{ address: one.address, weight: 2 }, { address: two.address }]);
    const sluice = await start(config, folder);
    await change(sluice, one, { weight: 0 });
    await change(sluice, two, { maxConnections: 7 });
    expect(new Set(await visits(sluice, 8))).toEqual(new Set(['two']));
    expect((await sluice.ask('/api/v1/reload', 'POST')).code).toBe(200);
    expect(new Set(await visits(sluice, 8))).toEqual(new Set(['two']));
    sluice.signal('SIGKILL');
    await sluice.ended;

    const again = await start(config, folder);
    expect(new Set(await visits(again, 8))).toEqual(new Set(['two']));
    const other = configOf([{ address: one.address, weight: 3 }, { address: two.address }]);
    again.rewrite(other);
    expect((await again.ask('/api/v1/reload', 'POST')).code).toBe(200);
    const dropped = await again.logged(({ msg }) => String(msg).startsWith('override dropped'));
    expect(dropped).toMatchObject({ backend: one.address, field: 'weight', value: 0, configured: 2 });
    expect(new Set(await visits(again, 8))).toEqual(new Set(['one', 'two']));
    const { body } = await again.ask('/api/v1/overrides');
    expect(JSON.parse(body).overrides).toMatchObject([{ backend: two.address, value: 7 }]);
  });

  it.each([
    ['is empty', ''],
    ['was cut off', '{"version":1,"overrides":[{"pool":"app","backend":"127.0.0.1:1","field":"st'],
    [
      'is of a version that knows more',
      '{"version":2,"overrides":[{"pool":"app","field":"colour","value":1}]}',
    ],
    ['is a folder', undefined],
  ])('is not kept from a start, nor from changes, by a state file that %s', async (_, text) => {
    const one = await backend('one');
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const file = join(folder, 'kept/state.json');
    mkdirSync(text === undefined ? file : join(folder, 'kept'), { recursive: true });
    if (text !== undefined) writeFileSync(file, text);
    const config = configOf([{ address: one.address }]);
    const sluice = await start(config, folder);
    await sluice.logged(({ msg }) => String(msg).startsWith('the state file is broken'));
    expect(await visits(sluice, 1)).toEqual(['one']);
    await change(sluice, one, { maxConnections: 7 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    sluice.signal('SIGKILL');
    await sluice.ended;
    const again = await start(config, folder);
    expect(JSON.parse((await again.ask('/api/v1/overrides')).body).overrides).toMatchObject([{ value: 7 }]);
    if (text !== undefined) expect(readFileSync(`${file}.broken`, 'utf8')).toBe(text);
  });

  it('is refused where another was faster, also during a reload', async () => {
    const one = await backend('one');
    const sluice = await start(configOf([{ address: one.address }]));
    const patches = [
      [`pools/app/backends/${one.address}`, { weight: 2 }, { weight: 3 }],
      ['pools/app', { hold: { for: '1m' } }, { hold: { for: '2m' } }],
      ['listeners/web', { accept: 'paused' }, { accept: 'off' }],
    ] as const;
    for (const [path, ...bodies] of patches) {
      const { revision } = JSON.parse((await sluice.ask(`/api/v1/${path}`)).body);
      const headers = { 'content-type': 'application/json', 'if-match': `"${revision}"` };
      const reloading = sluice.ask('/api/v1/reload', 'POST');
      const writers = bodies.map((body) =>
        sluice.ask(`/api/v1/${path}`, 'PATCH', headers, JSON.stringify(body)),
      );
      const codes = (await Promise.all(writers)).map(({ code }) => code);
      expect([path, ...codes.sort()]).toEqual([path, 200, 412]);
      expect((await reloading).code).toBe(200);
    }
    expect(JSON.parse((await sluice.ask('/api/v1/overrides')).body).overrides).toHaveLength(3);
  });

  it('brings a backend back from maintenance once it has passed a check', async () => {
    const one = await backend('one');
    const check = { type: 'tcp', interval: '100ms' };
    const sluice = await start(configOf([{ address: one.address }], { healthCheck: check }));
    const state = async () => (await sluice.status()).pools['app']?.backends[0];
    await eventually(async () => expect((await state())?.health).toBe('up'));
    await change(sluice, one, { state: 'maint' });
    expect(await state()).toMatchObject({ health: 'unknown', unavailable: 'maint' });
    const { total } = one;
    await change(sluice, one, { state: null });
    await eventually(async () => expect((await state())?.health).toBe('up'));
    expect(one.total).toBeGreaterThan(total);
    expect(await visits(sluice, 1)).toEqual(['one']);
  });
});
