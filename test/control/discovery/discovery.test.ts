import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { Target } from '../../../src/config/config.ts';
import { Discovery } from '../../../src/control/discovery/discovery.ts';
import type { TargetAddress } from '../../../src/control/discovery/provider.ts';
import type { Timing } from '../../../src/control/discovery/watch.ts';
import { type DnsAnswer, startDnsServer } from '../../support/dns-server.ts';

const app: Target = { kind: 'name', name: 'app.test', port: 80 };
const pg: Target = { kind: 'srv', name: '_pg._tcp.test' };
const a = (address: string, ttl = 60) => ({ type: 'A', address, ttl }) as const;
const srv = (target: string, port: number, priority = 0, weight = 0) =>
  ({ type: 'SRV', priority, weight, port, target }) as const;

/** Records expire at once, so that what follows needs no waiting. */
const hasty: Timing = { minTtlMs: 5, maxTtlMs: 5, minRetryMs: 5, maxRetryMs: 5 };
/** Nothing happens by itself. */
const patient: Timing = { minTtlMs: 1e9, maxTtlMs: 1e9, minRetryMs: 1e9, maxRetryMs: 1e9 };
const deadline = () => AbortSignal.timeout(10_000);

describe('Discovery', () => {
  const closers: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function start(
    zone: Record<string, DnsAnswer>,
    options: { timing: Timing; timeoutMs?: number; takesOver?: boolean },
  ) {
    const server = await startDnsServer(zone);
    const events = new EventEmitter();
    const log: (readonly [name: string, problem: string | undefined, ...addresses: string[]])[] = [];
    const lookups: (readonly [name: string, problem: string | undefined])[] = [];
    const names = new Discovery({
      resolver: { servers: [server.address], timeoutMs: options.timeoutMs ?? 5_000 },
      onLookup: (name, problem) => lookups.push([name, problem]),
      onChange: (name, change) => {
        if (options.takesOver !== false) names.takeOver(name);
        events.emit('change', name, change);
      },
      onProblem: (name, { problem, addresses }) => {
        log.push([name, problem, ...addresses]);
        events.emit('problem', problem);
      },
      timing: options.timing,
    });
    closers.push(
      () => server.close(),
      () => names.close(),
    );
    return { server, names, events, log, lookups };
  }

  it('gives the endpoints of an address at once', async () => {
    const { names, server } = await start({}, { timing: patient });
    const target: Target = { kind: 'address', address: { path: '/run/app.sock' } };
    await names.resolve([target]);
    expect(names.addressesOf(target)).toEqual([{ address: { path: '/run/app.sock' } }]);
    expect(server.questions).toEqual([]);
  });

  it('resolves A and AAAA records, each address once, in a stable order', async () => {
    const zone = {
      'app.test': [
        a('10.0.0.2'),
        a('10.0.0.1'),
        a('10.0.0.2'),
        { type: 'AAAA', address: '2001:db8::1' },
        { type: 'AAAA', address: '::ffff:0a00:0001' },
      ],
    } as const;
    const { names } = await start(zone, { timing: patient });
    await names.resolve([app]);
    expect(hosts(names.addressesOf(app))).toEqual(['10.0.0.1', '10.0.0.2', '2001:db8::1']);
  });

  it('has a name stand for other addresses once these are taken over, until they are taken back', async () => {
    const zone = { 'app.test': [a('10.0.0.1')], 'other.test': [a('10.0.0.1')] };
    const { names, server, events } = await start(zone, { timing: hasty, takesOver: false });
    const other: Target = { ...app, name: 'other.test' };
    await names.resolve([app, other]);
    const stand = () => [app, other].map((target) => hosts(names.addressesOf(target)).join());
    for (const name of ['app.test', 'other.test']) {
      server.zone.set(name, [a('10.0.0.2')]);
      await once(events, 'change', { signal: deadline() });
    }
    await names.resolve([app, other]);
    expect(stand()).toEqual(['10.0.0.1', '10.0.0.1']);
    const takeBack = names.takeOver('app.test');
    expect(stand()).toEqual(['10.0.0.2', '10.0.0.1']);
    takeBack();
    expect(stand()).toEqual(['10.0.0.1', '10.0.0.1']);
    names.takeOver();
    expect(stand()).toEqual(['10.0.0.2', '10.0.0.2']);
  });

  it('asks once for a name that several targets have', async () => {
    const { names, server } = await start({ 'app.test': [a('10.0.0.1')] }, { timing: patient });
    const other: Target = { ...app, port: 81 };
    await names.resolve([app, other]);
    await names.resolve([app]);
    expect(server.questions.toSorted()).toEqual(['A app.test', 'AAAA app.test']);
    expect(names.addressesOf(other)).toEqual([{ address: { host: '10.0.0.1', port: 81 } }]);
  });

  it('asks again as the records expire, and tells of another set only', async () => {
    const { names, server, events } = await start(
      { 'app.test': [a('10.0.0.1'), a('10.0.0.2')] },
      { timing: hasty },
    );
    const changes: string[] = [];
    events.on('change', (name) => changes.push(name));
    await names.resolve([app]);
    server.zone.set('app.test', [a('10.0.0.2'), a('10.0.0.1')]);
    await until(() => server.questions.length >= 8);
    expect(changes).toEqual([]);

    server.zone.set('app.test', [a('10.0.0.3')]);
    const change = { added: ['10.0.0.3'], removed: ['10.0.0.1', '10.0.0.2'] };
    expect(await once(events, 'change', { signal: deadline() })).toEqual(['app.test', change]);
    expect(hosts(names.addressesOf(app))).toEqual(['10.0.0.3']);
  });

  it.each(['nxdomain', 'servfail', 'silent'] as const)(
    'keeps the addresses it had when the answer is %s, and says so once',
    async (answer) => {
      const { names, server, events, log } = await start(
        { 'app.test': [a('10.0.0.1')] },
        { timing: hasty, timeoutMs: 300 },
      );
      await names.resolve([app]);
      server.zone.set('app.test', answer);
      await once(events, 'problem', { signal: deadline() });
      const asked = server.questions.length;
      await until(() => server.questions.length > asked + 4);
      expect(hosts(names.addressesOf(app))).toEqual(['10.0.0.1']);

      server.zone.set('app.test', [a('10.0.0.1')]);
      await once(events, 'problem', { signal: deadline() });
      expect(log).toEqual([
        ['app.test', expect.stringMatching(/^[A-Z].*[a-z]/), '10.0.0.1'],
        ['app.test', undefined, '10.0.0.1'],
      ]);
    },
  );

  it('tells of every lookup of a name how it went, and of none for an address', async () => {
    const { server, names, events, lookups } = await start(
      { 'app.test': [a('10.0.0.1')] },
      { timing: hasty },
    );
    await names.resolve([
      { kind: 'name', name: 'app.test', port: 80 },
      { kind: 'address', address: { host: '10.0.0.9', port: 80 } },
    ]);
    expect(lookups[0]).toEqual(['app.test', undefined]);
    const failed = once(events, 'problem', { signal: deadline() });
    server.zone.delete('app.test');
    const [problem] = await failed;
    expect(lookups.at(-1)).toEqual(['app.test', problem]);
    expect(new Set(lookups.map(([name]) => name))).toEqual(new Set(['app.test']));
  });

  it('starts without a name that does not exist, and takes it in when it comes', async () => {
    const { names, server, events, log } = await start({}, { timing: hasty });
    await names.resolve([app]);
    expect(names.addressesOf(app)).toEqual([]);
    expect(log).toEqual([['app.test', 'There is no such name']]);
    server.zone.set('app.test', [a('10.0.0.1')]);
    await once(events, 'change', { signal: deadline() });
    expect(hosts(names.addressesOf(app))).toEqual(['10.0.0.1']);
  });

  it('is done with a silent name server within its timeout', async () => {
    const { names, log } = await start({ 'app.test': 'silent' }, { timing: patient, timeoutMs: 200 });
    await names.resolve([app]);
    expect(names.addressesOf(app)).toEqual([]);
    expect(log).toHaveLength(1);
  });

  it('makes backends of SRV records: ports, weights, and ranks in the order of their priorities', async () => {
    const zone: Record<string, DnsAnswer> = {
      '_pg._tcp.test': [
        srv('b.test', 5433, 10, 7),
        srv('a.test', 5432, 5, 0),
        srv('b.test', 5434, 5, 20),
        srv('b.test', 5435, 700),
        srv('b.test', 0, 1),
        srv('', 5436, 2),
      ],
      'a.test': [a('10.0.0.1'), a('10.0.0.2')],
      'b.test': [a('10.0.0.3')],
    };
    const { names } = await start(zone, { timing: patient });
    await names.resolve([pg]);
    expect(names.addressesOf(pg)).toEqual([
      { address: { host: '10.0.0.1', port: 5432 }, hostName: 'a.test', weight: 1, rank: 0 },
      { address: { host: '10.0.0.2', port: 5432 }, hostName: 'a.test', weight: 1, rank: 0 },
      { address: { host: '10.0.0.3', port: 5433 }, hostName: 'b.test', weight: 7, rank: 1 },
      { address: { host: '10.0.0.3', port: 5434 }, hostName: 'b.test', weight: 20, rank: 0 },
      { address: { host: '10.0.0.3', port: 5435 }, hostName: 'b.test', weight: 1, rank: 2 },
    ]);
  });

  it('follows SRV records as they change', async () => {
    const zone: Record<string, DnsAnswer> = {
      '_pg._tcp.test': [srv('a.test', 5432)],
      'a.test': [a('10.0.0.1')],
      'b.test': [a('10.0.0.2')],
    };
    const { names, server, events } = await start(zone, { timing: hasty });
    await names.resolve([pg]);
    server.zone.set('_pg._tcp.test', [srv('b.test', 5432)]);
    const [name, change] = await once(events, 'change', { signal: deadline() });
    expect(name).toBe('_pg._tcp.test');
    expect(change).toEqual({ added: ['10.0.0.2:5432'], removed: ['10.0.0.1:5432'] });
    expect(hosts(names.addressesOf(pg))).toEqual(['10.0.0.2']);
  });

  it('serves what an SRV host was when it cannot be resolved, and the other hosts as they are', async () => {
    const zone: Record<string, DnsAnswer> = {
      '_pg._tcp.test': [srv('a.test', 5432), srv('b.test', 5432)],
      'a.test': [a('10.0.0.1')],
      'b.test': [a('10.0.0.2')],
    };
    const { names, server, events } = await start(zone, { timing: hasty });
    await names.resolve([pg]);
    server.zone.set('a.test', 'nxdomain');
    expect(await once(events, 'problem', { signal: deadline() })).toEqual(['a.test: There is no such name']);
    server.zone.set('b.test', [a('10.0.0.3')]);
    await once(events, 'change', { signal: deadline() });
    expect(hosts(names.addressesOf(pg))).toEqual(['10.0.0.1', '10.0.0.3']);
  });

  it('keeps a family of addresses whose question alone fails', async () => {
    const { names, server, events } = await start(
      { 'app.test': [a('10.0.0.1'), { type: 'AAAA', address: '2001:db8::1' }] },
      { timing: hasty, timeoutMs: 300 },
    );
    await names.resolve([app]);
    server.zone.set('AAAA app.test', 'servfail');
    server.zone.set('app.test', [a('10.0.0.2')]);
    await once(events, 'change', { signal: deadline() });
    expect(hosts(names.addressesOf(app))).toEqual(['10.0.0.2', '2001:db8::1']);
  });

  it('knows localhost without a name server', async () => {
    const { names, server } = await start({}, { timing: patient });
    const target: Target = { kind: 'name', name: 'localhost', port: 80 };
    await names.resolve([target]);
    expect(hosts(names.addressesOf(target))).toContain('127.0.0.1');
    expect(server.questions).toEqual([]);
  });

  it('forgets the names that are not retained', async () => {
    const zone = { 'app.test': [a('10.0.0.1')], 'other.test': [a('10.0.0.2')] };
    const { names, server } = await start(zone, { timing: hasty });
    const other: Target = { kind: 'name', name: 'other.test', port: 80 };
    await names.resolve([app, other]);
    names.retain([app]);
    expect(names.addressesOf(other)).toEqual([]);
    const asked = server.questions.filter((question) => question.endsWith('other.test')).length;
    const all = server.questions.length;
    await until(() => server.questions.length > all + 6);
    // One lookup, of both families, may have been under way.
    expect(server.questions.filter((question) => question.endsWith('other.test')).length).toBeLessThanOrEqual(
      asked + 2,
    );
  });
});

function hosts(endpoints: readonly TargetAddress[]): readonly string[] {
  return endpoints.map(({ address }) => ('host' in address ? address.host : address.path));
}

/** Waits for something that no event tells of. */
async function until(holds: () => boolean): Promise<void> {
  const giveUp = deadline();
  while (!holds()) {
    giveUp.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
