/**
 * What an operator changes of backends while the executable runs: at once for all workers, over reloads and restarts.
 */
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { connected, named, nextText, type TestBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, sluiceOfTest, sluiceOfTestIn } from '../support/of-test.ts';
import type { Sluice } from '../support/sluice.ts';

function backend(name: string): Promise<TestBackend> {
  return backendOfTest(named(name));
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

function change(sluice: Sluice, { address }: TestBackend, patch: object) {
  return sluice.api(`PATCH pools/app/backends/${address}`, patch);
}

async function overrides(sluice: Sluice) {
  return (await sluice.api('GET overrides')).body.overrides;
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
    const sluice = await sluiceOfTest(configOf([{ address: one.address }, { address: two.address }]));
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
    const sluice = await sluiceOfTest(configOf([{ address: one.address }, { address: two.address }]));
    expect((await change(sluice, one, { weight: '50%' })).body.weight).toBe(0.5);
    const served = await visits(sluice, 30);
    expect(served.filter((name) => name === 'one')).toHaveLength(10);
  });

  it('ends a change by itself when its time is over', async () => {
    const one = await backend('one');
    const sluice = await sluiceOfTest(configOf([{ address: one.address }]));
    await change(sluice, one, { state: 'drain', for: '200ms' });
    await sluice.logged(({ msg }) => msg === 'override ended');
    expect(await visits(sluice, 2)).toEqual(['one', 'one']);
  });

  it('holds over reloads and restarts, until the file says something new', async () => {
    const [one, two] = [await backend('one'), await backend('two')];
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    const config = configOf([{ address: one.address, weight: 2 }, { address: two.address }]);
    const sluice = await sluiceOfTestIn(folder, config);
    await change(sluice, one, { weight: 0 });
    await change(sluice, two, { maxConnections: 7 });
    expect(new Set(await visits(sluice, 8))).toEqual(new Set(['two']));
    await sluice.reload();
    expect(new Set(await visits(sluice, 8))).toEqual(new Set(['two']));
    sluice.signal('SIGKILL');
    await sluice.ended;

    const again = await sluiceOfTestIn(folder, config);
    expect(new Set(await visits(again, 8))).toEqual(new Set(['two']));
    const other = configOf([{ address: one.address, weight: 3 }, { address: two.address }]);
    await again.reload(other);
    const dropped = await again.logged(({ msg }) => String(msg).startsWith('override dropped'));
    expect(dropped).toMatchObject({ backend: one.address, field: 'weight', value: 0, configured: 2 });
    expect(new Set(await visits(again, 8))).toEqual(new Set(['one', 'two']));
    expect(await overrides(again)).toMatchObject([{ backend: two.address, value: 7 }]);
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
    const sluice = await sluiceOfTestIn(folder, config);
    await sluice.logged(({ msg }) => String(msg).startsWith('the state file is broken'));
    expect(await visits(sluice, 1)).toEqual(['one']);
    await change(sluice, one, { maxConnections: 7 });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    sluice.signal('SIGKILL');
    await sluice.ended;
    const again = await sluiceOfTestIn(folder, config);
    expect(await overrides(again)).toMatchObject([{ value: 7 }]);
    if (text !== undefined) expect(readFileSync(`${file}.broken`, 'utf8')).toBe(text);
  });

  it('is refused where another was faster, also during a reload', async () => {
    const one = await backend('one');
    const sluice = await sluiceOfTest(configOf([{ address: one.address }]));
    const patches = [
      [`pools/app/backends/${one.address}`, { weight: 2 }, { weight: 3 }],
      ['pools/app', { hold: { for: '1m' } }, { hold: { for: '2m' } }],
      ['listeners/web', { accept: 'paused' }, { accept: 'off' }],
    ] as const;
    for (const [path, ...bodies] of patches) {
      const { revision } = (await sluice.api(`GET ${path}`)).body;
      const headers = { 'if-match': `"${revision}"` };
      const reloading = sluice.reload();
      const writers = bodies.map((body) => sluice.api(`PATCH ${path}`, body, headers));
      const codes = (await Promise.all(writers)).map(({ code }) => code);
      expect([path, ...codes.sort()]).toEqual([path, 200, 412]);
      await reloading;
    }
    expect(await overrides(sluice)).toHaveLength(3);
  });

  it('brings a backend back from maintenance once it has passed a check', async () => {
    const one = await backend('one');
    const check = { type: 'tcp', interval: '100ms' };
    const sluice = await sluiceOfTest(configOf([{ address: one.address }], { healthCheck: check }));
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
