import { afterAll, describe, expect, it } from 'vitest';
import { ending, named, textOf } from '../support/backends.ts';
import { startDnsServer } from '../support/dns-server.ts';
import { eventually } from '../support/eventually.ts';
import { ran } from '../support/ran.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';
import { openScene, type Proxied } from './scene.ts';

// One for the file: a resolver is chosen at start. So each test has names of its own.
const dns = await startDnsServer();
afterAll(() => dns.close());
const notTakenOver = 'other addresses of a name were not taken over';
const scene = openScene({ workers: 1, mayLog: [notTakenOver] });
const more = { resolver: { servers: [dns.address] } };

describe('a name', () => {
  it('stands for a backend at each of its addresses, and follows its records as they expire', async () => {
    const first = await scene.backend(named('1'));
    const { port } = first;
    await scene.backend(named('2'), { host: '127.0.0.2', port });
    await scene.backend(named('3'), { host: '127.0.0.3', port });
    dns.zone.set('app.test', [a('127.0.0.1'), a('127.0.0.2')]);
    const proxy = await scene.proxy({ backends: [`app.test:${port}`], more });
    expect(await addresses(proxy)).toEqual([`127.0.0.1:${port}`, `127.0.0.2:${port}`]);
    expect(await names(proxy, 4)).toBe('1122');
    for (const line of await proxy.closed(4)) expect(line).toMatchObject({ backendName: 'app.test' });

    dns.zone.set('app.test', [a('127.0.0.2'), a('127.0.0.3')]);
    await eventually(async () =>
      expect(await addresses(proxy)).toEqual([`127.0.0.2:${port}`, `127.0.0.3:${port}`]),
    );
    expect(await lineOf(proxy, 'name resolves to other addresses', 'app.test')).toMatchObject({
      level: 'info',
      pools: [proxy.pool],
      added: ['127.0.0.3'],
      removed: ['127.0.0.1'],
    });
    expect(await names(proxy, 4)).toBe('2233');
  });

  it('is drained at all of its addresses by the command, which waits for all of them', async () => {
    const first = await scene.backend(named('1'));
    const { port } = first;
    const second = await scene.backend(named('2'), { host: '127.0.0.2', port });
    dns.zone.set('drained.test', [a('127.0.0.1'), a('127.0.0.2')]);
    const proxy = await scene.proxy({ backends: [`drained.test:${port}`], more });
    const clients = [scene.client(proxy.port), scene.client(proxy.port)];
    for (const client of clients) await textOf(client, 1);
    const backend = [proxy.pool, `drained.test:${port}`, '--admin', String(scene.sluice.adminPort)];
    const draining = ran(['drain', ...backend, '--wait']);
    await eventually(async () => expect((await proxy.backend(1)).unavailable).toBe('drained'));
    clients.find((client) => client.remotePort !== undefined)?.end();
    await eventually(() => expect(first.open.size + second.open.size).toBe(1));
    for (const client of clients) client.end();
    const text = (state: string): string =>
      [1, 2]
        .map((host) => `${proxy.pool} 127.0.0.${host}:${port}: ${state}, weight 1, 0 sessions\n`)
        .join('');
    expect(await draining).toMatchObject({ exit: 0, stdout: text('drain') });
    expect(await ran(['ready', ...backend, '--wait'])).toMatchObject({ exit: 0, stdout: text('ready') });
  });

  it('that comes to stand for too much keeps what it had, and all else can be changed', async () => {
    const { port } = await scene.backend(named('1'));
    await scene.backend(named('2'), { host: '127.0.0.2', port });
    dns.zone.set('many.test', [a('127.0.0.1')]);
    dns.zone.set('one.test', [a('127.0.0.1')]);
    const ports = Array.from({ length: 200 }, (_, index) => index + 1);
    const pools = { many: { backends: ports.map((one) => `many.test:${one}`) } };
    const listener = { routes: [{ when: { protocol: 'http' }, pool: 'many' }] };
    const proxy = await scene.proxy({ backends: [`one.test:${port}`], listener, pools, more });
    dns.zone.set(
      'many.test',
      Array.from({ length: 50 }, (_, index) => a(`127.0.1.${index + 1}`)),
    );
    await lineOf(proxy, notTakenOver, 'many.test');

    const at = ['--admin', String(scene.sluice.adminPort)];
    expect(await ran(['drain', proxy.pool, `one.test:${port}`, ...at])).toMatchObject({ exit: 0 });
    dns.zone.set('one.test', [a('127.0.0.2')]);
    await lineOf(proxy, 'name resolves to other addresses', 'one.test');
    expect(await proxy.backends()).toMatchObject([{ address: `127.0.0.2:${port}`, unavailable: 'drained' }]);
  });

  it('that does not exist leaves its pool without a backend, until it does', async () => {
    const backend = await scene.backend(named('late'));
    const proxy = await scene.proxy({ backends: [`late.test:${backend.port}`], more });
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'no-backend' }]);
    expect(await lineOf(proxy, 'name does not resolve', 'late.test')).toMatchObject({
      level: 'warn',
      pools: [proxy.pool],
      problem: 'There is no such name',
      addresses: [],
    });
    const isOfPool = (msg: string) => (line: LogLine) => line.msg === msg && line['pool'] === proxy.pool;
    const why = 'no address is known';
    expect(await proxy.sluice.logged(isOfPool('pool has no backend left'))).toMatchObject({ why });
    dns.zone.set('late.test', [a('127.0.0.1')]);
    await eventually(async () => expect(await proxy.backends()).toHaveLength(1));
    await lineOf(proxy, 'name resolves again', 'late.test');
    await proxy.sluice.logged(isOfPool('pool has one again'));
    expect(await textOf(scene.client(proxy.port), 4)).toBe('late');
  });

  it('that resolves no more is in status and metrics, with what is wrong, and since when', async () => {
    const backend = await scene.backend(named('still'));
    dns.zone.set('gone.test', [a('127.0.0.1')]);
    const proxy = await scene.proxy({ backends: [`gone.test:${backend.port}`], more });
    const state = async () => {
      const { pools } = await proxy.sluice.status();
      const metric = (what: string) => proxy.sluice.metric(`sluice_dns_${what}{pool="${proxy.pool}"}`);
      const [failures, last] = [
        await metric('failures_total'),
        await metric('last_success_timestamp_seconds'),
      ];
      return { ...pools[proxy.pool]?.names[0], failures, last };
    };
    const well = await state();
    expect(well).toMatchObject({ name: 'gone.test', problem: null, failures: 0 });
    expect(Date.parse(well.resolved ?? '')).toBe(well.last * 1_000);
    dns.zone.delete('gone.test');
    await eventually(async () => {
      const { problem, failures } = await state();
      expect([problem, failures > 0]).toEqual(['There is no such name', true]);
    });
    expect(await textOf(scene.client(proxy.port), 5)).toBe('still');
    expect(await proxy.backend()).toMatchObject({ name: 'gone.test' });
  });

  it('of a service brings ports, weights and backups with its records', async () => {
    const [one, two, spare] = [
      await scene.backend(named('1')),
      await scene.backend(named('2')),
      await scene.backend(named('s')),
    ];
    const record = (priority: number, weight: number, port: number) =>
      ({ type: 'SRV', priority, weight, port, target: 'host.test' }) as const;
    const records = [record(1, 1, one.port), record(1, 2, two.port), record(9, 1, spare.port)];
    dns.zone.set('_pg._tcp.db.test', records).set('host.test', [a('127.0.0.1')]);
    const proxy = await scene.proxy({ backends: ['srv:_pg._tcp.db.test'], more });
    const listed = new Map((await proxy.backends()).map((backend) => [backend.address, backend]));
    expect(listed.get(one.address)).toMatchObject({ weight: 1, backup: false });
    expect(listed.get(two.address)).toMatchObject({ weight: 2, backup: false });
    expect(listed.get(spare.address)).toMatchObject({ weight: 1, backup: true });
    expect(await names(proxy, 6)).toBe('112222');
  });

  it('of a service goes from priority to priority as their servers fail', async () => {
    const backends = [
      await scene.backend(named('1')),
      await scene.backend(named('2')),
      await scene.backend(named('3')),
    ] as const;
    const records = backends.map(
      ({ port }, index) =>
        ({ type: 'SRV', priority: 10 * index, weight: 1, port, target: 'tiers.test' }) as const,
    );
    dns.zone.set('_tiers._tcp.test', records.toReversed()).set('tiers.test', [a('127.0.0.1')]);
    const proxy = await scene.proxy({ backends: ['srv:_tiers._tcp.test'], more });
    expect(await names(proxy, 3)).toBe('111');
    await backends[0].close();
    expect(await names(proxy, 3)).toBe('222');
    await backends[1].close();
    expect(await names(proxy, 3)).toBe('333');
  });

  it('of a configuration that was refused is not asked for any more', async () => {
    const taken = await scene.backend(named('t'));
    const config = (bind: string, name: string) =>
      JSON.stringify({
        version: 1,
        listeners: { web: { bind, pool: 'app' } },
        pools: { app: { backends: [`${name}:1`] } },
        admin: { bind: '127.0.0.1:0' },
        ...more,
      });
    const sluice = await Sluice.run(config('127.0.0.1:0', 'asked.test'));
    scene.afterwards(() => sluice.stop());
    sluice.rewrite(config(taken.address, 'refused.test'));
    const asked = (name: string) => dns.questions.filter((question) => question === `A ${name}`).length;
    expect((await sluice.api('POST reload')).code).not.toBe(200);
    expect(asked('refused.test')).toBe(1);
    // Both would be asked for again a second after they failed, and this one two seconds later once more.
    await eventually(() => expect(asked('asked.test')).toBeGreaterThan(2));
    expect(asked('refused.test')).toBe(1);
  });
});

function lineOf({ sluice }: Proxied, msg: string, name: string): Promise<LogLine> {
  return sluice.logged((line) => line.msg === msg && line['name'] === name);
}

/** A record that may be asked again as soon as it can be. */
function a(address: string) {
  return { type: 'A', address, ttl: 0 } as const;
}

async function addresses(proxy: Proxied): Promise<readonly string[]> {
  return (await proxy.backends()).map(({ address }) => address).sort();
}

/** Who served so many clients, one after the other: sorted, each a letter. */
async function names(proxy: Proxied, count: number): Promise<string> {
  const all: string[] = [];
  for (let visit = 0; visit < count; visit++) {
    const client = scene.client(proxy.port);
    all.push(await textOf(client, 1));
    client.end();
    await ending(client);
  }
  return all.sort().join('');
}
