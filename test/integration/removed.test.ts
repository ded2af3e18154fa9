/** A reload takes away what somebody waits for, holds, has changed, lists or listens to. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { ending, named, nextText } from '../support/backends.ts';
import { listen } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { backendOfTest, clientOfTest, sluiceOfTest } from '../support/of-test.ts';
import { ran } from '../support/ran.ts';

/** A listener with two pools, the second of which can be taken away, and a listener of that alone. */
async function stage() {
  const [stays, goes, other] = [
    await backendOfTest(named('stays')),
    await backendOfTest(named('goes')),
    await backendOfTest(named('other')),
  ];
  const config = (has: 'all' | 'fewer backends' | 'no pool'): string =>
    JSON.stringify({
      version: 1,
      workers: 2,
      listeners: {
        web: { bind: '127.0.0.1:0', pool: has === 'no pool' ? 'stays' : 'goes' },
        ...(has !== 'no pool' && { alone: { bind: '127.0.0.1:0', pool: 'goes' } }),
      },
      pools: {
        stays: { backends: [stays.address] },
        ...(has !== 'no pool' && {
          goes: {
            backends: [goes.address, ...(has === 'all' ? [{ address: other.address, backup: true }] : [])],
          },
        }),
      },
      admin: { bind: '127.0.0.1:0' },
    });
  const sluice = await sluiceOfTest(config('all'));
  const reload = (has: Parameters<typeof config>[0]) => sluice.reload(config(has));
  const client = (listener: string) => clientOfTest(sluice.port(listener));
  const change = (path: string, body: object) => sluice.api(`PATCH ${path}`, body);
  const asked = (path: string) => sluice.api(`GET ${path}`);
  return { sluice, reload, client, change, asked, stays, goes, other };
}

describe('Whoever waits', () => {
  it.each(['until=idle', 'until=resumed'])('for a pool that goes is told so: %s', async (until) => {
    const { sluice, reload, client, change, asked } = await stage();
    expect(await nextText(await client('web'))).toBe('goes');
    if (until === 'until=resumed') await change('pools/goes', { hold: { for: '5m' } });
    const waiting = asked(`wait?pool=goes&${until}&timeout=5m`);
    expect((await asked(`wait?pool=goes&${until}&timeout=100ms`)).code).toBe(408);
    await reload('no pool');
    expect(await waiting).toEqual({
      code: 409,
      body: { error: 'What was waited for is not there any more: There is no pool "goes"' },
    });
    expect((await sluice.ask('/readyz')).code).toBe(200);
  });

  it('for a backend that goes is told so, and the command ends with 1', async () => {
    const { sluice, reload, client, asked, change, goes, other } = await stage();
    await change(`pools/goes/backends/${goes.address}`, { state: 'drain' });
    expect(await nextText(await client('web'))).toBe('other');
    const waiting = asked(`wait?pool=goes&backend=${other.address}&until=idle&timeout=5m`);
    const draining = ran(['drain', 'goes', other.address, '--wait', '--admin', String(sluice.adminPort)]);
    await eventually(async () =>
      expect((await asked(`pools/goes/backends/${other.address}`)).body.state).toBe('drain'),
    );
    await reload('fewer backends');
    const { code, body } = await waiting;
    expect([code, body.error]).toEqual([
      409,
      expect.stringContaining(`There is no backend "${other.address}"`),
    ]);
    const { exit, stderr } = await draining;
    expect([exit, stderr]).toEqual([1, expect.stringMatching(/sluice: .*There is no backend/)]);
  });

  it('with `hold --wait-idle` for a pool that goes is told so, by exit code 1', async () => {
    const { sluice, reload, client, asked } = await stage();
    expect(await nextText(await client('web'))).toBe('goes');
    const holding = ran(['hold', 'goes', '--for', '5m', '--wait-idle', '--admin', String(sluice.adminPort)]);
    await eventually(async () => expect((await asked('pools/goes')).body.hold?.phase).toBe('held'));
    await reload('no pool');
    const { exit, stderr } = await holding;
    expect([exit, stderr]).toEqual([1, expect.stringContaining('There is no pool "goes"')]);
  });
});

describe('Clients that are held', () => {
  it('go to the pool that their listener has now, or are refused where it has gone too', async () => {
    const { sluice, reload, client, change, asked } = await stage();
    await change('pools/goes', { hold: { for: '5m', timeout: '5m' } });
    const [rerouted, stranded] = [await client('web'), await client('alone')];
    await eventually(async () => expect((await asked('pools/goes')).body.queue).toBe(2));
    const end = ending(stranded);
    await reload('no pool');
    expect(await nextText(rerouted)).toBe('stays');
    expect(await end).toEqual({ text: '', reset: true });
    await sluice.logged(({ listener, reason }) => listener === 'alone' && reason === 'no-backend');
  });

  it('are held again where the pool comes back before its hold is over', async () => {
    const { reload, client, change, asked } = await stage();
    await change('pools/goes', { hold: { for: '5m', reason: 'failover' } });
    await reload('no pool');
    expect((await asked('overrides')).body.overrides).toMatchObject([{ pool: 'goes', field: 'hold' }]);
    await reload('all');
    expect((await asked('pools/goes')).body.hold).toMatchObject({ phase: 'held', reason: 'failover' });
    const waiting = await client('web');
    await eventually(async () => expect((await asked('pools/goes')).body.queue).toBe(1));
    await change('pools/goes', { hold: null });
    expect(await nextText(waiting)).toBe('goes');
  });

  it('and a pool that is releasing when it goes, leave nothing behind', async () => {
    const { reload, client, change, asked } = await stage();
    await change('pools/goes', { hold: { for: '5m', timeout: '5m' } });
    const clients = [await client('web'), await client('web'), await client('web')];
    await eventually(async () => expect((await asked('pools/goes')).body.queue).toBe(3));
    await change('pools/goes', { release: { rate: 0.01 } });
    await reload('no pool');
    const texts = await Promise.all(clients.map((one) => nextText(one)));
    expect(texts.filter((text) => text === 'stays').length).toBeGreaterThan(1);
    await reload('all');
    expect((await asked('pools/goes')).body.hold).toBeNull();
  });
});

describe('What was changed of a backend that goes', () => {
  it('is kept, can be undone, and holds again where it comes back', async () => {
    const { sluice, reload, change, asked, other } = await stage();
    const path = `pools/goes/backends/${other.address}`;
    await change(path, { state: 'maint', reason: 'move' });
    await reload('fewer backends');
    expect((await change(path, { state: null })).code).toBe(404);
    expect((await asked('overrides')).body.overrides).toMatchObject([
      { backend: other.address, reason: 'move' },
    ]);
    await reload('all');
    expect((await asked(path)).body).toMatchObject({ state: 'maint', unavailable: 'maint' });
    await reload('fewer backends');
    expect((await sluice.api(`DELETE overrides/goes/${other.address}`)).body).toEqual({ overrides: [] });
    await reload('all');
    expect((await asked(path)).body).toMatchObject({ state: 'ready', unavailable: null });
  });
});

describe('A list of sessions', () => {
  it('goes on behind its cursor, and has those of a pool that has gone until they end', async () => {
    const { reload, client, asked, goes } = await stage();
    const clients = [
      await client('alone'),
      await client('alone'),
      await client('alone'),
      await client('web'),
    ];
    for (const one of clients) expect(await nextText(one)).toBe('goes');
    const { body: first } = await asked('sessions?limit=2&pool=goes');
    await reload('no pool');
    const rest = await asked(`sessions?limit=10&pool=goes&cursor=${first.cursor}`);
    const ids = [...first.sessions, ...rest.body.sessions].map(({ id }: { id: string }) => id);
    expect([ids.length, new Set(ids).size]).toEqual([4, 4]);
    expect((await asked(`sessions?backend=${goes.address}&listener=alone`)).body.sessions).toHaveLength(3);
    for (const one of clients) one.destroy();
    await eventually(async () => expect((await asked('sessions?pool=goes')).code).toBe(404));
  });
});

describe('Who listens to events', () => {
  it('hears of holds, and of the reload that ends one with its pool, and has snapshots without it then', async () => {
    const { sluice, reload, change } = await stage();
    const events = await listen(sluice, '?snapshot=1s');
    onTestFinished(() => events.leave());
    const ofHold = (hold: string) =>
      events.told(({ kind, data }) => kind === 'hold' && data['hold'] === hold);
    await change('pools/goes', { hold: { for: '5m', reason: 'upgrade' } });
    expect((await ofHold('held')).data).toMatchObject({
      pool: 'goes',
      by: '127.0.0.1',
      reason: 'upgrade',
      then: 'resume',
    });
    await change('pools/goes', { release: { rate: 10 } });
    expect((await ofHold('released')).data).toMatchObject({ pool: 'goes', rate: 10, waiting: 0 });
    await change('pools/goes', { hold: { for: '200ms', then: 'refuse' } });
    expect((await ofHold('refused')).data).toMatchObject({ pool: 'goes' });
    await change('pools/goes', { hold: { for: '5m' } });
    await reload('no pool');
    await events.told(({ kind, data }) => kind === 'reload' && data['ok'] === true);
    await events.told(({ kind, data }) => kind === 'snapshot' && !('goes' in Object(data['pools'])));
    const ids = events.seen.flatMap(({ id }) => id ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    const again = await listen(sluice, `?lastEventId=${ids[0]}`);
    onTestFinished(() => again.leave());
    await eventually(() => expect(again.seen.map(({ id }) => id)).toEqual(ids.slice(1)));
  });
});
