import { describe, expect, it } from 'vitest';
import type { Command } from '../../../src/core/contract.ts';
import type {
  ListenerPlan,
  ListenerPolicy,
  ListenerTls,
  PoolPlan,
  ProxyProtocolPolicy,
} from '../../../src/core/plan.ts';
import { encodeProxyHeader } from '../../../src/core/wire/proxy-writing.ts';
import { bytesOf, get, headersFrom, networks, to, v1 } from '../explain/plans.ts';
import { backendPlan, CoreStage, listenerPlan, listenerPolicy, listenerTls, poolPlan } from '../harness.ts';
import { alpn, hello, inRecords, serverName } from '../wire/hello.ts';

const stranger = { address: '192.0.2.1', port: 40_000 };
const balancer = { address: '10.0.0.1', port: 40_000 };

describe('Session on a listener with routes', () => {
  it('looks at the first bytes until a route can be told', () => {
    const stage = stageOf({ routes: [to(1, { httpHost: ['www.example'] })] });
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'inspect', link: session, beyond: 0 }]);
    expect(receive(stage, session, get.subarray(0, 10))).toEqual([
      { kind: 'inspect', link: session, beyond: 10 },
    ]);
    expect(CoreStage.dialed(receive(stage, session, get))).toEqual([1]);
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ pool: 'pool-1', protocol: 'http', reason: 'finished' });
  });

  it('goes to the listener’s pool where no route matches, and is no-route where it has none', () => {
    const routes = [to(1, { protocol: ['ssh'] })];
    const stage = stageOf({ routes });
    expect(CoreStage.dialed(receive(stage, stage.connect().session, get))).toEqual([0]);
    const poolless = stageOf({ routes, pool: undefined });
    const { session } = poolless.connect();
    expect(CoreStage.closed(receive(poolless, session, get))).toEqual(['reset']);
    poolless.end(session, 'closed');
    expect(poolless.lastRecord).toMatchObject({
      reason: 'no-route',
      pool: undefined,
      protocol: 'http',
      detail: 'No route matches protocol http, host www.example, and there is no pool',
    });
  });

  it('waits for nothing where a route needs no bytes, or where none can match', () => {
    const stage = stageOf({
      routes: [
        to(1, { client: networks('10.0.0.0/8') }),
        to(2, { protocol: ['ssh'], client: networks('10.0.0.0/8') }),
      ],
    });
    expect(CoreStage.dialed(stage.connect(balancer).commands)).toEqual([1]);
    expect(CoreStage.dialed(stage.connect(stranger).commands)).toEqual([0]);
  });

  it('goes to the listener’s pool where a client is silent until inspect.timeout', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    stage.connect();
    expect(stage.elapse(2_999)).toEqual([]);
    expect(CoreStage.dialed(stage.elapse(1))).toEqual([0]);
  });

  it('is an inspect-timeout where there is no such pool, or where a client has begun and does not go on', () => {
    const routes = [to(1, { httpHost: ['www.example'] })];
    const silent = stageOf({ routes, pool: undefined });
    expectRefusal(silent, silent.connect().session, silent.elapse(3_000), 'inspect-timeout');
    const slow = stageOf({ routes });
    const { session } = slow.connect();
    for (let length = 1; length <= 3; length++) {
      receive(slow, session, get.subarray(0, length));
      if (length < 3) expect(slow.elapse(1_000)).toEqual([]);
    }
    expectRefusal(slow, session, slow.elapse(1_000), 'inspect-timeout');
  });

  it('routes by what came where that is inspect.maxBytes, or where the client has finished', () => {
    const inspect = { timeoutMs: 3_000, maxBytes: 8, undecided: 'fallback' } as const;
    const bounded = stageOf({ routes: [to(1, { httpHost: ['www.example'] })], inspect });
    expect(CoreStage.dialed(receive(bounded, bounded.connect().session, get))).toEqual([0]);
    const stage = stageOf({ routes: [to(1, { protocol: ['unknown'] })] });
    const { session } = stage.connect();
    receive(stage, session, bytesOf('GE'));
    expect(CoreStage.dialed(stage.halfClose(session, 'client', 2))).toEqual([1]);
  });

  it('is client-left where the client finishes without a byte', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    const { session } = stage.connect();
    expect(CoreStage.closed(stage.halfClose(session, 'client'))).toEqual(['fin']);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'client-left', endedBy: 'client' });
  });

  it('is empty where its client leaves without a byte, by FIN or by RST, and not after one', () => {
    for (const [sent, leave] of [
      ['', 'FIN'],
      ['', 'RST'],
      ['GE', 'RST'],
    ] as const) {
      const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
      const { session } = stage.connect();
      if (sent !== '') receive(stage, session, bytesOf(sent));
      if (leave === 'FIN') stage.halfClose(session, 'client');
      stage.end(session, leave === 'FIN' ? 'closed' : 'client-reset');
      expect(stage.lastRecord).toMatchObject({ reason: 'client-left', isEmpty: sent === '' });
    }
  });

  it('gives back what it holds when its client resets while it is looked at', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    const { session } = stage.connect();
    expect(stage.ledger.listenerActive.total(0)).toBe(1);
    stage.end(session, 'client-reset');
    expect(stage.ledger.listenerActive.total(0)).toBe(0);
    expect(stage.lastRecord?.reason).toBe('client-left');
    expect(stage.core.nextDeadlineMs).toBeUndefined();
  });

  it('waits in the queue of the pool that it was routed to, and is routed anew when that pool is gone', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] }, { full: true });
    const { session } = stage.connect();
    receive(stage, session, get);
    expect(stage.ledger.poolQueued.total(1)).toBe(1);
    const plan = planWith({ routes: [to(2, { protocol: ['http'] })] });
    const commands = stage.follow({ ...plan, pools: plan.pools.filter(({ slot }) => slot !== 1) });
    expect(CoreStage.dialed(commands)).toEqual([2]);
  });

  it('is routed by the new plan where a reload takes its pool away while it arrives', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    const { session } = stage.connect();
    const plan = planWith({ routes: [to(2, { protocol: ['http'] })] });
    stage.follow({ ...plan, pools: plan.pools.filter(({ slot }) => slot !== 1) });
    expect(CoreStage.dialed(receive(stage, session, get))).toEqual([2]);
  });

  it('is never sent to a pool that has come into the slot of its own', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    const { session } = stage.connect();
    const plan = planWith({ routes: [to(1, { protocol: ['ssh'] })] });
    stage.follow({ ...plan, pools: plan.pools.map((pool) => (pool.slot === 1 ? renamed(pool) : pool)) });
    expect(CoreStage.dialed(receive(stage, session, get))).toEqual([0]);
    stage.end(session, 'client-reset');
    expect(stage.lastRecord?.pool).toBe('pool-0');
  });

  it('is routed anew by its address where nobody had to look at its bytes', () => {
    for (const routes of [[], [to(1, { client: networks('192.0.2.0/24') })]]) {
      const stage = stageOf({ routes, pool: 1 }, { full: true });
      stage.connect(stranger);
      const anew = [to(0, { protocol: ['ssh'] }), to(2, { client: networks('192.0.2.0/24') })];
      const plan = planWith({ routes: anew });
      const commands = stage.follow({ ...plan, pools: plan.pools.filter(({ slot }) => slot !== 1) });
      expect(CoreStage.dialed(commands)).toEqual([2]);
    }
  });

  it('ignores bytes once it is routed', () => {
    const stage = stageOf({ routes: [to(1, { protocol: ['http'] })] });
    const { session } = stage.connect();
    stage.elapse(3_000);
    expect(receive(stage, session, get)).toEqual([]);
  });
});

describe('Session on a listener with an access list', () => {
  it('is denied before anything is counted against limits', () => {
    const access = { allow: networks('10.0.0.0/8'), deny: networks('10.9.0.0/16') };
    const limits = { ...listenerPolicy.limits, connectionsPerSecond: 1, burst: 1 };
    const stage = stageOf({ access, limits });
    for (const address of ['192.0.2.1', '10.9.0.1']) {
      const { session, commands } = stage.connect({ address, port: 1 });
      expectRefusal(stage, session, commands, 'denied');
    }
    expect(CoreStage.dialed(stage.connect(balancer).commands)).toEqual([0]);
  });

  it('judges the client that a PROXY header announces', () => {
    const access = { allow: networks('198.51.100.0/24'), deny: undefined };
    const stage = stageOf({ access, proxyProtocol: headers('required') });
    const { session } = stage.connect(balancer);
    expect(CoreStage.dialed(receive(stage, session, bytesOf(v1)))).toEqual([0]);
    const other = stage.connect(balancer).session;
    const commands = receive(stage, other, bytesOf(v1.replace('198.51.100.7', '192.0.2.1')));
    expectRefusal(stage, other, commands.slice(1), 'denied');
    expect(stage.ledger.listenerActive.total(0)).toBe(1);
  });

  it('denies a client that a header announces as often as it comes, before its own limits are asked', () => {
    const perClient = { ...listenerPolicy.limits.perClient, connectionsPerSecond: 1, burst: 1 };
    const access = { allow: networks('192.0.2.0/24'), deny: undefined };
    const limits = { ...listenerPolicy.limits, perClient };
    const stage = stageOf({ access, limits, proxyProtocol: headers('required') });
    for (let visit = 0; visit < 2; visit++) {
      const { session } = stage.connect(balancer);
      expectRefusal(stage, session, receive(stage, session, bytesOf(v1)).slice(1), 'denied');
    }
  });

  it('denies a peer that may announce nobody by its own address, whether its header is wanted or not', () => {
    const access = { allow: networks('10.0.0.0/8'), deny: undefined };
    const stage = stageOf({ access, proxyProtocol: headers('required') });
    const { session, commands } = stage.connect(stranger);
    expectRefusal(stage, session, commands, 'denied');
  });
});

describe('Session on a listener that takes PROXY headers', () => {
  it('discards the header and is its client from then on', () => {
    const limits = {
      ...listenerPolicy.limits,
      perClient: { ...listenerPolicy.limits.perClient, maxConnections: 1 },
    };
    const stage = stageOf({ limits, proxyProtocol: headers('required') });
    const { session, commands } = stage.connect(balancer);
    expect(commands).toEqual([{ kind: 'inspect', link: session, beyond: 0 }]);
    expect(receive(stage, session, bytesOf(`${v1}hello`))).toEqual([
      { kind: 'discard', link: session, bytes: v1.length },
      stage.dialOf(session),
    ]);
    const second = stage.connect(balancer).session;
    expectRefusal(stage, second, receive(stage, second, bytesOf(v1)).slice(1), 'client-full');
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord?.client).toMatchObject({ address: '198.51.100.7', port: 5000 });
  });

  it('takes a header in any fragments, and routes by the bytes behind it', () => {
    const stage = stageOf({ proxyProtocol: headers('required'), routes: [to(1, { protocol: ['http'] })] });
    const all = bytesOf(`${v1}GET / HTTP/1.1\r\n\r\n`);
    const { session } = stage.connect(balancer);
    const commands: Command[] = [];
    for (let length = 1; length <= v1.length; length++) {
      commands.push(...receive(stage, session, all.subarray(0, length)));
    }
    expect(commands.at(-2)).toEqual({ kind: 'discard', link: session, bytes: v1.length });
    expect(commands.at(-1)).toEqual({ kind: 'inspect', link: session, beyond: 0 });
    expect(CoreStage.dialed(receive(stage, session, all.subarray(v1.length)))).toEqual([1]);
  });

  it('lets nobody in by a list of networks whom a header announces as a client of a unix socket', () => {
    const access = { allow: networks('0.0.0.0/0'), deny: undefined };
    const unix = { address: 'unix', port: 0 };
    const bytes = encodeProxyHeader('v2', { client: unix, destination: unix });
    const policy = { ...headers('required'), fromUnix: true };
    for (const from of [balancer, unix]) {
      const stage = stageOf({ access, proxyProtocol: policy });
      const { session } = stage.connect(from);
      expectRefusal(stage, session, receive(stage, session, bytes).slice(1), 'denied');
      const open = stageOf({ proxyProtocol: policy });
      expect(CoreStage.dialed(receive(open, open.connect(from).session, bytes))).toEqual([0]);
    }
    // Who comes over a unix socket of ours by itself is let in as ever.
    const stage = stageOf({ access, proxyProtocol: policy });
    expect(
      CoreStage.dialed(receive(stage, stage.connect(unix).session, bytesOf('PROXY UNKNOWN\r\n'))),
    ).toEqual([0]);
  });

  it('believes who comes over a unix socket only where it says so', () => {
    const unix = { address: 'unix', port: 0 };
    const unbelieving = stageOf({ proxyProtocol: headers('required') });
    const first = unbelieving.connect(unix);
    expectRefusal(unbelieving, first.session, first.commands, 'bad-proxy-header');
    expect(CoreStage.dialed(stageOf({ proxyProtocol: headers('optional') }).connect(unix).commands)).toEqual([
      0,
    ]);
    const believing = stageOf({ proxyProtocol: { ...headers('required'), fromUnix: true } });
    const { session } = believing.connect(unix);
    expect(CoreStage.dialed(receive(believing, session, bytesOf(v1)))).toEqual([0]);
  });

  it('refuses anything else where a header is required, from anyone else at once', () => {
    const stage = stageOf({ proxyProtocol: headers('required') });
    const first = stage.connect(stranger);
    expectRefusal(stage, first.session, first.commands, 'bad-proxy-header');
    for (const bytes of ['GET', 'PROXY TCP4 1.2.3.4\r\n', `${v1.slice(0, -2)} \r\n`]) {
      const { session } = stage.connect(balancer);
      expectRefusal(stage, session, receive(stage, session, bytesOf(bytes)), 'bad-proxy-header');
    }
    const { session } = stage.connect(balancer);
    receive(stage, session, bytesOf('PROXY '));
    expectRefusal(stage, session, stage.halfClose(session, 'client', 6), 'bad-proxy-header');
  });

  it('refuses what has not come in time', () => {
    const stage = stageOf({ proxyProtocol: headers('required') });
    const { session } = stage.connect(balancer);
    receive(stage, session, bytesOf(v1.slice(0, -1)));
    expect(stage.elapse(2_999)).toEqual([]);
    expectRefusal(stage, session, stage.elapse(1), 'bad-proxy-header');
  });

  it('passes on what is no header where one is optional, and refuses a broken one', () => {
    const stage = stageOf({ proxyProtocol: headers('optional') });
    expect(CoreStage.dialed(receive(stage, stage.connect(balancer).session, get))).toEqual([0]);
    const { session } = stage.connect(balancer);
    expectRefusal(stage, session, receive(stage, session, bytesOf('PROXY what\r\n')), 'bad-proxy-header');
    // Nobody believes a stranger's header: it is payload.
    expect(CoreStage.dialed(stage.connect(stranger).commands)).toEqual([0]);
  });

  it('goes on without an optional header that has not come in time, or not before FIN', () => {
    const stage = stageOf({ proxyProtocol: headers('optional') });
    stage.connect(balancer);
    expect(CoreStage.dialed(stage.elapse(3_000))).toEqual([0]);
    const { session } = stage.connect(balancer);
    receive(stage, session, bytesOf('PRO'));
    expect(CoreStage.dialed(stage.halfClose(session, 'client', 3))).toEqual([0]);
  });

  it('reports the id that a header brought, of a client that is refused too', () => {
    const stage = stageOf({
      proxyProtocol: headers('required'),
      access: { allow: undefined, deny: networks('198.51.100.0/24') },
    });
    const { session } = stage.connect(balancer);
    const ends = { client: { address: '198.51.100.7', port: 5_000 }, destination: stranger };
    const header = encodeProxyHeader('v2', ends, { uniqueId: bytesOf('one-of-a-kind') });
    receive(stage, session, header);
    stage.end(session, 'closed');
    expect(stage.lastRecord).toMatchObject({ reason: 'denied', uniqueId: 'one-of-a-kind' });
  });

  it('keeps the socket’s own client where a header announces none', () => {
    const stage = stageOf({ proxyProtocol: headers('required') });
    const { session } = stage.connect(balancer);
    receive(stage, session, bytesOf('PROXY UNKNOWN\r\n'));
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord?.client).toMatchObject(balancer);
  });

  it('counts against the listener while its header is awaited', () => {
    const limits = { ...listenerPolicy.limits, maxConnections: 1 };
    const stage = stageOf({ limits, proxyProtocol: headers('required') });
    stage.connect(balancer);
    const { session, commands } = stage.connect(balancer);
    expectRefusal(stage, session, commands, 'listener-full');
  });
});

describe('Session on a listener with TLS', () => {
  const plain = hello({ extensions: [] });
  const named = hello({ extensions: [serverName('A.example')] });
  /** 64 KiB of a hello that goes on. */
  const endless = inRecords([1, 0, 0xff, 0xff, ...Array.from({ length: 0xffff }, () => 0)]).subarray(
    0,
    65_536,
  );
  const startTls = (link: number, serverName: string | undefined): Command => ({
    kind: 'start-tls',
    link,
    as: 'server',
    tls,
    serverName,
  });

  it('begins the handshake with the name in the hello, and looks at nothing before it is done', () => {
    const stage = stageOf({
      tls,
      routes: [to(1, { sni: ['a.example'], alpn: ['h2'] }), to(2, { httpHost: ['www.example'] })],
    });
    const { session, commands } = stage.connect();
    expect(commands).toEqual([{ kind: 'inspect', link: session, beyond: 0 }]);
    const half = named.subarray(0, 20);
    expect(receive(stage, session, half)).toEqual([{ kind: 'inspect', link: session, beyond: 20 }]);
    expect(receive(stage, session, named)).toEqual([startTls(session, 'a.example')]);
    expect(CoreStage.dialed(stage.secure(session, 'h2'))).toEqual([1]);
    const other = stage.connect().session;
    receive(stage, other, plain);
    expect(stage.secure(other)).toEqual([{ kind: 'inspect', link: other, beyond: 0 }]);
    expect(CoreStage.dialed(receive(stage, other, get))).toEqual([2]);
    stage.dialed(session);
    stage.end(session);
    expect(stage.lastRecord).toMatchObject({ sni: 'a.example', protocol: 'tls' });
  });

  it('is tls-failed when the handshake fails, with the name and the cause, or takes too long', () => {
    const stage = stageOf({ tls });
    const failed = stage.connect().session;
    receive(stage, failed, named);
    const commands = stage.say({ kind: 'tls-failed', link: failed, detail: 'unknown ca' });
    expect(commands).toEqual([{ kind: 'close', link: failed, how: 'fin' }]);
    stage.end(failed, 'closed');
    const record = { reason: 'tls-failed', endedBy: 'proxy', sni: 'a.example', detail: 'unknown ca' };
    expect(stage.lastRecord).toMatchObject(record);
    for (const bytes of [undefined, named.subarray(0, 20), named]) {
      const slow = stage.connect().session;
      if (bytes !== undefined) receive(stage, slow, bytes);
      expect(stage.elapse(4_999)).toEqual([]);
      expectRefusal(stage, slow, stage.elapse(1), 'tls-failed');
    }
  });

  it('has no name where its hello brought none, whatever is spoken over TLS', () => {
    const stage = stageOf({ tls, routes: [to(1, { protocol: ['tls'] })] });
    const { session } = stage.connect();
    receive(stage, session, plain);
    stage.secure(session);
    const inner = hello({ extensions: [serverName('inner.example')] });
    expect(CoreStage.dialed(receive(stage, session, inner))).toEqual([1]);
    stage.end(session, 'client-reset');
    expect(stage.lastRecord).toMatchObject({ sni: undefined, protocol: 'tls' });
  });

  it.each(['a.example..', '', 'a.example\0', '\xe4.example', 'a..example'])(
    'has an unclear name where its hello brought %j, and is sent to no fallback',
    (name) => {
      const stage = stageOf({ tls, routes: [to(1, { sni: ['a.example'] })] });
      const { session } = stage.connect();
      receive(stage, session, hello({ extensions: [serverName(name)] }));
      // Nothing that it says inside could tell.
      expectRefusal(stage, session, stage.secure(session), 'no-route');
      const clear = stage.connect().session;
      receive(stage, clear, plain);
      expect(CoreStage.dialed(stage.secure(clear))).toEqual([0]);
    },
  );

  it('waits with an unclear name only for what else may rule its routes out', () => {
    const unclear = hello({ extensions: [serverName('a.example..')] });
    const routes = [
      to(1, { httpHost: ['www.example'] }),
      to(2, { sni: ['a.example'], httpHost: ['api.example'] }),
      to(2, { sni: ['a.example'], alpn: ['h2'] }),
    ];
    const { stage, session } = secured({ routes }, unclear);
    expect(CoreStage.dialed(receive(stage, session, get))).toEqual([1]);
    const { stage: second, session: api } = secured({ routes }, unclear);
    const head = bytesOf('GET / HTTP/1.1\r\nHost: api.example\r\n\r\n');
    expectRefusal(second, api, receive(second, api, head), 'no-route');
    const { stage: third, session: other } = secured({ routes }, unclear);
    const neither = bytesOf('GET / HTTP/1.1\r\nHost: other.example\r\n\r\n');
    expect(CoreStage.dialed(receive(third, other, neither))).toEqual([0]);
  });

  it('takes an unclear name for none at once where inspect.undecided says so', () => {
    const inspect = { ...listenerPolicy.inspect, undecided: 'fallback' as const };
    const unclear = hello({ extensions: [serverName('a..example')] });
    const { commands } = secured({ inspect, routes: [to(1, { sni: ['a.example'] })] }, unclear);
    expect(CoreStage.dialed(commands)).toEqual([0]);
  });

  it('has the name of a hello beyond 64 KiB from the handshake, or an unclear one', () => {
    const routes = [to(1, { sni: ['a.example'] })];
    expect(CoreStage.dialed(secured({ routes }, endless, 'a.example').commands)).toEqual([1]);
    expect(CoreStage.dialed(secured({ routes }, endless, 'b.example').commands)).toEqual([0]);
    const { stage, session, commands } = secured({ routes }, endless);
    expectRefusal(stage, session, commands, 'no-route');
  });

  it('reads a hello of up to 64 KiB for its name, whatever inspect.maxBytes says', () => {
    const stage = stageOf({ tls, inspect: { ...listenerPolicy.inspect, maxBytes: 32 } });
    const long = stage.connect().session;
    const most = endless.length - 1;
    expect(receive(stage, long, endless.subarray(0, most))).toEqual([
      { kind: 'inspect', link: long, beyond: most },
    ]);
    expect(receive(stage, long, endless)).toEqual([startTls(long, undefined)]);
    const whole = stage.connect().session;
    const protocols = Array.from({ length: 200 }, (_, i) => `${i}`.padEnd(250, 'x'));
    const named = hello({ extensions: [alpn(...protocols), serverName('a.example')] });
    receive(stage, whole, named.subarray(0, 32_000));
    expect(receive(stage, whole, named)).toEqual([startTls(whole, 'a.example')]);
  });

  it('begins without a name where the hello is none', () => {
    const stage = stageOf({ tls });
    const odd = stage.connect().session;
    expect(receive(stage, odd, Uint8Array.of(0x16, 3, 1, 0, 4, 9, 9, 9, 9))).toEqual([
      startTls(odd, undefined),
    ]);
  });

  it('refuses what is no handshake, and a hello that ends in FIN', () => {
    const stage = stageOf({ tls });
    for (const bytes of [get, Uint8Array.of(0, 0, 0, 9)]) {
      const { session } = stage.connect();
      expect(CoreStage.closed(receive(stage, session, bytes))).toEqual(['fin']);
    }
    const { session } = stage.connect();
    receive(stage, session, named.subarray(0, 20));
    expect(CoreStage.closed(stage.halfClose(session, 'client', 20))).toEqual(['fin']);
    stage.end(session, 'closed');
    expect(stage.lastRecord?.reason).toBe('tls-failed');
  });

  it('is client-left where it goes in its handshake', () => {
    const stage = stageOf({ tls });
    const { session } = stage.connect();
    receive(stage, session, named);
    stage.close(session, 'finished');
    expect(stage.lastRecord).toMatchObject({ reason: 'client-left', endedBy: 'client', sni: 'a.example' });
  });

  it('reads the PROXY header first', () => {
    const stage = stageOf({ tls, proxyProtocol: headers('required') });
    const { session } = stage.connect(balancer);
    const commands = receive(stage, session, Uint8Array.of(...bytesOf(v1), ...named));
    expect(commands).toEqual([
      { kind: 'discard', link: session, bytes: v1.length },
      startTls(session, 'a.example'),
    ]);
  });
});

/** A client with this hello, and what follows from its handshake, which may have read a name. */
function secured(
  more: Parameters<typeof stageOf>[0],
  first: Uint8Array,
  name?: string,
): { stage: CoreStage; session: number; commands: readonly Command[] } {
  const stage = stageOf({ tls, ...more });
  const { session } = stage.connect();
  receive(stage, session, first);
  return { stage, session, commands: stage.secure(session, undefined, name) };
}

function stageOf(
  more: Partial<ListenerPolicy> & Partial<Pick<ListenerPlan, 'routes' | 'pool'>>,
  { full = false } = {},
): CoreStage {
  return new CoreStage(planWith(more, full));
}

function planWith(
  { routes = [], ...more }: Partial<ListenerPolicy> & Partial<Pick<ListenerPlan, 'routes' | 'pool'>>,
  full = false,
) {
  const pools = [0, 1, 2].map((slot) => ({
    ...poolPlan([backendPlan(slot, { maxConnections: full ? 0 : 100 })], {
      limits: { maxConnections: 100, queue: { size: 5, timeoutMs: 5_000 } },
    }),
    slot,
    name: `pool-${slot}`,
  }));
  const { pool, ...policy } = { pool: 0, ...more };
  return { listeners: [{ ...listenerPlan(policy), routes, pool }], pools };
}

function renamed(pool: PoolPlan): PoolPlan {
  return { ...pool, name: 'renamed' };
}

function receive(stage: CoreStage, session: number, bytes: Uint8Array): readonly Command[] {
  return stage.say({ kind: 'received', link: session, bytes });
}

function expectRefusal(
  stage: CoreStage,
  session: number,
  commands: readonly Command[],
  reason: string,
): void {
  expect(commands).toEqual([{ kind: 'close', link: session, how: 'reset' }]);
  stage.end(session, 'closed');
  expect(stage.lastRecord).toMatchObject({ reason, endedBy: 'proxy', attempts: 0 });
}

function headers(mode: ProxyProtocolPolicy['mode']): ProxyProtocolPolicy {
  return { ...headersFrom('10.0.0.0/8', mode), timeoutMs: 3_000 };
}

const tls: ListenerTls = { ...listenerTls, alpn: ['h2'] };
