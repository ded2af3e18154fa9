import { describe, expect, it } from 'vitest';
import type { Balance } from '../../../src/core/balancers/table.ts';
import { explain } from '../../../src/core/explain/explain.ts';
import type { Explanation, Inquiry } from '../../../src/core/explain/explanation.ts';
import { healthWords, type Ledger } from '../../../src/core/ledger/ledger.ts';
import type { Plan } from '../../../src/core/plan.ts';
import { seeded } from '../../support/seeded.ts';
import { CoreStage, freshLedger, listenerTls } from '../harness.ts';
import {
  balancer,
  bytesOf,
  get,
  headersFrom,
  limitsOf,
  networks,
  planWith,
  stranger,
  to,
  v1,
} from './plans.ts';

describe('explain', () => {
  it('says of each route why it does not match, that it does, or that nobody came so far', () => {
    const plan = planWith({
      routes: [
        to(1, { client: networks('10.0.0.0/8', 'fe80::/10') }),
        to(1, { sni: ['b.example', '*.c.example'] }),
        to(1, { alpn: ['h3'] }),
        to(1, { protocol: ['ssh', 'redis'] }),
        to(1, { httpHost: ['www.example'] }),
        to(2, { sni: ['a.example'], alpn: ['h2'] }),
        to(1, {}),
      ],
    });
    const { routes, seen, fallback, waits } = ask(plan, { sni: 'a.example', alpn: ['h2', 'http/1.1'] });
    const pool1 = { to: { pool: 'pool-1' }, verdict: 'fails' };
    expect(seen).toEqual({
      protocol: 'tls',
      sni: 'a.example',
      alpn: ['h2', 'http/1.1'],
      httpHost: null,
    });
    expect(routes).toEqual([
      { ...pool1, condition: 'client', wanted: ['10.0.0.0/8', 'fe80::/10'], seen: ['192.0.2.1'] },
      { ...pool1, condition: 'sni', wanted: ['b.example', '*.c.example'], seen: ['a.example'] },
      { ...pool1, condition: 'alpn', wanted: ['h3'], seen: ['h2', 'http/1.1'] },
      { ...pool1, condition: 'protocol', wanted: ['ssh', 'redis'], seen: ['tls'] },
      { ...pool1, condition: 'httpHost', wanted: ['www.example'], seen: [] },
      { verdict: 'matches', to: { pool: 'pool-2' } },
      { verdict: 'not-reached', to: { pool: 'pool-1' } },
    ]);
    expect(fallback).toEqual({ pool: 'pool-0', verdict: 'not-reached' });
    expect(waits).toEqual([]);
  });

  it('reads the bytes that it is given, and believes what is said before what they say', () => {
    const plan = planWith({ routes: [to(1, { httpHost: ['www.example'] })] });
    expect(ask(plan, { bytes: get })).toMatchObject({
      seen: { protocol: 'http', sni: null, alpn: null, httpHost: 'www.example' },
      outcome: { backend: '10.0.0.1:9002' },
    });
    const other = ask(plan, { bytes: get, httpHost: 'other.example' });
    expect(other).toMatchObject({ fallback: { verdict: 'taken' }, outcome: { backend: '10.0.0.1:9000' } });
  });

  it('takes what is not said of a message for absent', () => {
    const plan = planWith();
    const absent = { sni: null, alpn: null, httpHost: null };
    expect(ask(plan, { protocol: 'ssh' }).seen).toEqual({ ...absent, protocol: 'ssh' });
    expect(ask(plan, { httpHost: 'a' }).seen).toEqual({ ...absent, protocol: 'http', httpHost: 'a' });
    expect(ask(plan, { alpn: [] }).seen).toEqual({ ...absent, protocol: 'tls' });
    expect(ask(plan, {}).seen).toEqual({});
  });

  it('sends who is silent to the fallback once inspect.timeout is over', () => {
    const plan = planWith({ routes: [to(1, { protocol: ['ssh'], sni: ['a.example'] })] });
    expect(ask(plan, {})).toMatchObject({
      routes: [{ verdict: 'needs-bytes', missing: ['protocol', 'sni'] }],
      waits: [{ for: 'first-bytes', upToMs: 3_000 }],
      fallback: { verdict: 'taken' },
      outcome: { kind: 'dial', backend: '10.0.0.1:9000' },
    });
  });

  it('takes a route for who is silent where one wants just that, or wants nothing', () => {
    const ssh = to(1, { protocol: ['ssh'] });
    const unknown = planWith({ routes: [ssh, to(2, { protocol: ['unknown'] })] });
    expect(ask(unknown, {})).toMatchObject({
      routes: [{ verdict: 'needs-bytes' }, { verdict: 'matches' }],
      waits: [{ for: 'first-bytes' }],
      outcome: { backend: '10.0.0.1:9004' },
    });
    const byClient = planWith({ routes: [ssh, to(2, { client: networks('192.0.2.0/24') }), ssh] });
    expect(ask(byClient, {}).routes.map(({ verdict }) => verdict)).toEqual([
      'needs-bytes',
      'matches',
      'not-reached',
    ]);
  });

  it('refuses who has begun to speak and does not go on, and who is silent where there is no fallback', () => {
    const routes = [to(1, { httpHost: ['www.example'] }), to(1, {})];
    expect(ask(planWith({ routes }), { bytes: get.subarray(0, 10) })).toMatchObject({
      routes: [{ verdict: 'needs-bytes', missing: ['httpHost'] }, { verdict: 'not-reached' }],
      waits: [{ for: 'first-bytes' }],
      fallback: { verdict: 'not-reached' },
      pool: null,
      outcome: { kind: 'refuse', reason: 'inspect-timeout', with: 'reset' },
    });
    const poolless = planWith({ routes: routes.slice(0, 1), pool: undefined });
    expect(ask(poolless, {}).outcome).toMatchObject({ reason: 'inspect-timeout' });
    expect(ask(poolless, { protocol: 'ssh' })).toMatchObject({
      fallback: { pool: null, verdict: 'not-reached' },
      outcome: { reason: 'no-route' },
    });
  });

  it('looks at no more than inspect.maxBytes, and refuses what that leaves undecided', () => {
    const routes = [to(1, { httpHost: ['www.example'] }), to(2, {})];
    const inspect = { timeoutMs: 3_000, maxBytes: 8, undecided: 'refuse' } as const;
    expect(ask(planWith({ inspect, routes }), { bytes: get })).toMatchObject({
      waits: [],
      seen: { protocol: 'http', sni: null, alpn: null },
      routes: [{ verdict: 'undecided', missing: ['httpHost'] }, { verdict: 'not-reached' }],
      fallback: { verdict: 'not-reached' },
      pool: null,
      outcome: { kind: 'refuse', reason: 'no-route' },
    });
    const tolerant = { ...inspect, undecided: 'fallback' } as const;
    expect(ask(planWith({ inspect: tolerant, routes }), { bytes: get })).toMatchObject({
      waits: [],
      routes: [{ verdict: 'fails', condition: 'httpHost', seen: [] }, { verdict: 'matches' }],
      outcome: { kind: 'dial' },
    });
  });

  it('waits for nothing that no route can match any more', () => {
    const plan = planWith({ routes: [to(1, { sni: ['a.example'] })] });
    expect(ask(plan, { bytes: bytesOf('x') })).toMatchObject({
      waits: [],
      seen: { sni: null },
      fallback: { verdict: 'taken' },
    });
  });

  it('says which pools share a route, and whose turn is next', () => {
    const shares = [
      { pool: 1, weight: 1 },
      { pool: 2, weight: 2 },
    ];
    const plan = planWith({ routes: [to({ slot: 0, shares }, {})] });
    const ledger = freshLedger();
    const nexts = [0, 1, 2].map((turn) => {
      ledger.splitTurns[0] = turn;
      const { routes, pool } = ask(plan, {}, ledger);
      expect(routes).toMatchObject([{ to: { split: { 'pool-1': 1, 'pool-2': 2 }, next: pool?.name } }]);
      return pool?.name;
    });
    expect(nexts).toEqual(['pool-2', 'pool-1', 'pool-2']);
  });

  it('says which entry of an access list decides', () => {
    const allow = networks('10.0.0.0/8', '::1/128');
    const deny = networks('10.9.0.0/16');
    const said = (access: { allow?: typeof allow; deny?: typeof deny }, address: string) => {
      const plan = planWith({ access: { allow: access.allow, deny: access.deny } });
      const { access: verdict, outcome, routes } = ask(plan, { client: { address, port: 1 } });
      return [verdict, outcome.kind === 'refuse' ? outcome.reason : 'in', routes.length];
    };
    expect(said({}, '10.9.0.1')[0]).toEqual({ verdict: 'allowed', by: 'no-list', network: null });
    expect(said({ allow, deny }, '10.1.2.3')).toEqual([
      { verdict: 'allowed', by: 'allow', network: '10.0.0.0/8' },
      'in',
      0,
    ]);
    expect(said({ allow, deny }, '10.9.0.1')).toEqual([
      { verdict: 'denied', by: 'deny', network: '10.9.0.0/16' },
      'denied',
      0,
    ]);
    expect(said({ allow, deny }, '192.0.2.1')[0]).toEqual({
      verdict: 'denied',
      by: 'not-listed',
      network: null,
    });
    expect(said({ deny }, '192.0.2.1')[0]).toEqual({ verdict: 'allowed', by: 'not-denied', network: null });
    expect(said({ allow }, 'unix')[0]).toEqual({ verdict: 'allowed', by: 'no-list', network: null });
  });
});

describe('explain, of a listener that takes PROXY headers,', () => {
  const required = { proxyProtocol: headersFrom('10.0.0.0/8', 'required') };
  const optional = { proxyProtocol: headersFrom('10.0.0.0/8', 'optional') };

  it('goes on as the client that the header announces', () => {
    const access = { allow: networks('198.51.100.0/24'), deny: undefined };
    const plan = planWith({ ...required, access, routes: [to(1, { httpHost: ['www.example'] })] });
    const bytes = bytesOf(v1 + String.fromCharCode(...get));
    expect(ask(plan, { client: balancer, bytes })).toMatchObject({
      client: { address: '198.51.100.7', announcedBy: '10.0.0.1' },
      proxyHeader: 'announces',
      access: { by: 'allow', network: '198.51.100.0/24' },
      routes: [{ verdict: 'matches' }],
    });
  });

  it.each([
    ['required', { address: 'unix', port: 0 }, v1, 'not-believed', 'bad-proxy-header', 0],
    ['optional', { address: 'unix', port: 0 }, v1, 'not-believed', undefined, 0],
    ['required', stranger, v1, 'not-believed', 'bad-proxy-header', 0],
    ['required', balancer, '', 'absent', 'bad-proxy-header', 1],
    ['required', balancer, 'GET /', 'absent', 'bad-proxy-header', 0],
    ['required', balancer, 'PROXY TCP4 1', 'incomplete', 'bad-proxy-header', 1],
    ['required', balancer, 'PROXY what\r\n', 'broken', 'bad-proxy-header', 0],
    ['required', balancer, 'PROXY UNKNOWN\r\n', 'own', undefined, 0],
    ['optional', stranger, v1, 'not-believed', undefined, 0],
    ['optional', balancer, '', 'absent', undefined, 1],
    ['optional', balancer, 'GET /', 'absent', undefined, 0],
    ['optional', balancer, 'PRO', 'incomplete', undefined, 1],
    ['optional', balancer, 'PROXY ', 'incomplete', 'bad-proxy-header', 1],
    ['optional', balancer, 'PROXY what\r\n', 'broken', 'bad-proxy-header', 0],
  ] as const)('%s, of %o that says %j: %s', (mode, client, text, proxyHeader, reason, waits) => {
    const plan = planWith(mode === 'required' ? required : optional);
    const said = ask(plan, { client, bytes: bytesOf(text) });
    expect(said.proxyHeader).toBe(proxyHeader);
    expect(said.waits).toHaveLength(waits);
    expect(said.outcome).toMatchObject(reason === undefined ? { kind: 'dial' } : { reason });
  });

  it('reads no header where the listener is full', () => {
    const plan = planWith({ ...required, limits: limitsOf({ maxConnections: 0 }) });
    expect(ask(plan, { client: balancer, bytes: bytesOf(v1) })).toMatchObject({
      client: { address: '10.0.0.1', announcedBy: null },
      proxyHeader: 'not-reached',
      access: 'not-reached',
      waits: [],
      outcome: { reason: 'listener-full' },
    });
  });

  it('takes a client whose words are told for one without a header', () => {
    expect(ask(planWith(required), { client: balancer, sni: 'a.example' })).toMatchObject({
      waits: [],
      outcome: { reason: 'bad-proxy-header' },
    });
    const said = ask(planWith(optional), { client: balancer, sni: 'a.example' });
    expect(said).toMatchObject({ waits: [], proxyHeader: 'absent', outcome: { kind: 'dial' } });
  });

  it('waits twice for who is silent', () => {
    const plan = planWith({ ...optional, routes: [to(1, { protocol: ['ssh'] })] });
    expect(ask(plan, { client: balancer }).waits).toEqual([
      { for: 'proxy-header', upToMs: 2_000 },
      { for: 'first-bytes', upToMs: 3_000 },
    ]);
  });
});

describe('explain, of a listener that terminates TLS,', () => {
  const tls = { ...listenerTls, alpn: ['h2', 'http/1.1'] };
  const routes = [to(1, { sni: ['a.example'], alpn: ['http/1.1'] }), to(2, { httpHost: ['www.example'] })];

  it('takes name and protocols for those of the handshake, and bytes for plain ones', () => {
    const plan = planWith({ tls, routes });
    const named = ask(plan, { sni: 'a.example', alpn: ['http/1.1', 'h3'] });
    expect(named).toMatchObject({ tls: 'terminated', waits: [], outcome: { backend: '10.0.0.1:9002' } });
    const preferred = ask(plan, { sni: 'a.example', alpn: ['http/1.1', 'h2'], bytes: get });
    expect(preferred).toMatchObject({
      seen: { sni: 'a.example', alpn: ['h2'], protocol: 'http', httpHost: 'www.example' },
      routes: [{ condition: 'alpn', seen: ['h2'] }, { verdict: 'matches' }],
    });
    expect(ask(plan, { httpHost: 'www.example' })).toMatchObject({
      seen: { sni: null, alpn: null, protocol: 'http' },
      outcome: { backend: '10.0.0.1:9004' },
    });
  });

  it('reads the hello, behind which the client is silent', () => {
    expect(ask(planWith({ tls, routes }), { bytes: hello('a.example') })).toMatchObject({
      seen: { sni: 'a.example', alpn: null },
      routes: [
        { condition: 'alpn', seen: [] },
        { verdict: 'needs-bytes', missing: ['httpHost'] },
      ],
      waits: [{ for: 'first-bytes' }],
      outcome: { backend: '10.0.0.1:9000' },
    });
  });

  it('says that the handshake fails where no protocol is shared, or it does not go on', () => {
    const plan = planWith({ tls, routes });
    expect(ask(plan, { alpn: ['h3'] })).toMatchObject({
      waits: [],
      routes: [{ verdict: 'not-reached' }, { verdict: 'not-reached' }],
      outcome: { reason: 'tls-failed' },
    });
    expect(ask(plan, { bytes: hello('a.example').subarray(0, 20) })).toMatchObject({
      waits: [{ for: 'handshake', upToMs: 5_000 }],
      outcome: { reason: 'tls-failed' },
    });
  });
});

describe('explain, of what is full,', () => {
  it.each([
    ['listener-full', limitsOf({ maxConnections: 1 })],
    ['client-full', limitsOf({}, { maxConnections: 1 })],
    ['rate-limited', limitsOf({ connectionsPerSecond: 1, burst: 1 })],
    ['rate-limited', limitsOf({}, { connectionsPerSecond: 1, burst: 1 })],
  ])('says that the next client is refused: %s', (reason, limits) => {
    const plan = planWith({ limits, routes: [to(1, {})] });
    const stage = new CoreStage(plan);
    expect(ask(plan, {}, stage.ledger, stage.nowMs).outcome.kind).toBe('dial');
    stage.relay(stranger);
    expect(ask(plan, {}, stage.ledger, stage.nowMs)).toMatchObject({
      routes: [{ verdict: 'not-reached' }],
      pool: null,
      outcome: { kind: 'refuse', reason },
    });
    const other = { client: { address: '192.0.2.2', port: 1 } };
    const isForAll = limits.perClient.maxConnections > 1 && limits.connectionsPerSecond === 1;
    const otherOutcome = ask(plan, other, stage.ledger, stage.nowMs).outcome;
    expect(otherOutcome.kind).toBe(isForAll || reason === 'listener-full' ? 'refuse' : 'dial');
  });

  it('says how full listener and client are', () => {
    const plan = planWith({ limits: limitsOf({ maxConnections: 9 }, { maxConnections: 3 }) });
    const stage = new CoreStage(plan);
    stage.relay(stranger);
    stage.relay({ address: '192.0.2.2', port: 1 });
    const { listener, client } = ask(plan, {}, stage.ledger, stage.nowMs);
    expect(listener).toEqual({ name: 'web', active: 2, maxConnections: 9 });
    expect(client).toEqual({ address: '192.0.2.1', announcedBy: null, active: 1, maxConnections: 3 });
  });

  it('has a client wait behind others, unless the queue is full', () => {
    const limits = { maxConnections: 1, queue: { size: 2, timeoutMs: 4_000 } };
    const plan = planWith({}, { limits });
    const stage = new CoreStage(plan);
    const outcome = () => ask(plan, {}, stage.ledger, stage.nowMs).outcome;
    stage.relay();
    expect(outcome()).toEqual({ kind: 'queue', ahead: 0, timeoutMs: 4_000 });
    stage.connect();
    expect(outcome()).toEqual({ kind: 'queue', ahead: 1, timeoutMs: 4_000 });
    stage.connect();
    expect(outcome()).toMatchObject({ kind: 'refuse', reason: 'queue-full' });
    const roomy = freshLedger();
    roomy.poolQueued.tryTake(0, 9);
    expect(ask(plan, {}, roomy).outcome).toMatchObject({ kind: 'queue', ahead: 1 });
    const [pool] = plan.pools;
    if (pool === undefined) throw new Error('Expected a pool');
    const hold = { phase: 'held', timeoutMs: 9_000, ratePerSecond: Infinity } as const;
    const held = ask({ ...plan, pools: [{ ...pool, hold }] }, {}, new CoreStage(plan).ledger);
    expect(held).toMatchObject({
      pool: { held: true },
      outcome: { kind: 'queue', ahead: 0, timeoutMs: 9_000 },
    });
    const queueless = planWith({}, { limits: { ...limits, queue: { size: 0, timeoutMs: 1 } } });
    const full = new CoreStage(queueless);
    full.relay();
    expect(ask(queueless, {}, full.ledger).outcome).toMatchObject({ reason: 'pool-full' });
  });
});

describe('explain, of the backends,', () => {
  it('tells of each its state, and which are candidates', () => {
    const plan = planWith();
    const ledger = freshLedger();
    mark(ledger, 0, 'down');
    const { pool, outcome } = ask(plan, {}, ledger);
    const common = { weight: 1, rampPercent: 100, backup: false, circuit: 'closed', active: 0 };
    expect(pool).toEqual({
      name: 'pool-0',
      balance: 'round-robin',
      held: false,
      active: 0,
      maxConnections: 'unlimited',
      queue: { waiting: 0, size: 0, timeoutMs: 5_000 },
      ignoresHealth: false,
      backends: [
        {
          ...common,
          address: '10.0.0.1:9000',
          health: 'down',
          maxConnections: 'unlimited',
          unavailable: 'down',
          candidate: false,
        },
        {
          ...common,
          address: '10.0.0.1:9001',
          health: 'unknown',
          maxConnections: 'unlimited',
          unavailable: null,
          candidate: true,
        },
      ],
    });
    expect(outcome).toEqual({
      kind: 'dial',
      backend: '10.0.0.1:9001',
      certainty: 'certain',
      possible: ['10.0.0.1:9001'],
    });
    mark(ledger, 1, 'down');
    expect(ask(plan, {}, ledger).outcome).toMatchObject({ reason: 'no-backend' });
    const panicking = planWith({}, { panicThresholdPercent: 50 });
    expect(ask(panicking, {}, ledger)).toMatchObject({
      pool: { ignoresHealth: true },
      outcome: { kind: 'dial' },
    });
  });

  it.each([
    ['backups only where no primary can', { backup: true }, { backup: false }],
    ['backups of a rank only where none before can', { backup: true, backupRank: 1 }, { backup: true }],
  ])('asks %s', (_, later, first) => {
    const plan = planWith();
    const [web] = plan.pools;
    if (web === undefined) throw new Error('Expected a pool');
    const backends = web.backends.map((backend, index) => ({ ...backend, ...(index === 0 ? first : later) }));
    const ledger = freshLedger();
    const candidates = () =>
      ask({ ...plan, pools: [{ ...web, backends }] }, {}, ledger).pool?.backends.map(
        ({ candidate }) => candidate,
      );
    expect(candidates()).toEqual([true, false]);
    mark(ledger, 0, 'down');
    expect(candidates()).toEqual([false, true]);
  });

  it('says how sure the pick is', () => {
    const sure = (balance: Balance, ledger = freshLedger()) => {
      const { outcome } = ask(planWith({}, { balance }), {}, ledger);
      return outcome.kind === 'dial' ? [outcome.certainty, outcome.possible.length] : outcome.kind;
    };
    expect(sure('first')).toEqual(['certain', 1]);
    expect(sure('source-hash')).toEqual(['certain', 1]);
    expect(sure('round-robin')).toEqual(['next-turn', 1]);
    expect(sure('random')).toEqual(['one-of-several', 2]);
    expect(sure('power-of-two')).toEqual(['one-of-several', 2]);
    expect(sure('least-connections')).toEqual(['one-of-several', 2]);
    const uneven = freshLedger();
    uneven.backendActive.tryTake(0, 9);
    expect(sure('least-connections', uneven)).toEqual(['certain', 1]);
    mark(uneven, 0, 'down');
    expect(sure('random', uneven)).toEqual(['certain', 1]);
    const ramping = freshLedger();
    ramping.recoveredMs[0] = 500;
    const fewest = planWith({}, { balance: 'least-connections', slowStartMs: 10_000 });
    expect(ask(fewest, {}, ramping).outcome).toMatchObject({
      backend: '10.0.0.1:9001',
      certainty: 'certain',
    });
    const slow = planWith({}, { slowStartMs: 10_000 });
    const { pool, outcome } = ask(slow, {}, ramping);
    expect(pool?.backends[0]?.rampPercent).toBe(14);
    expect(outcome).toMatchObject({ certainty: 'one-of-several' });
  });
});

function ask(
  plan: Plan,
  inquiry: Partial<Inquiry>,
  ledger: Ledger = freshLedger(),
  nowMs = 1_000,
): Explanation {
  return explain(plan, ledger, { listener: 'web', client: stranger, ...inquiry }, nowMs, seeded(1));
}

function mark(ledger: Ledger, backend: number, health: 'up' | 'down'): void {
  Atomics.store(ledger.health, backend, healthWords.indexOf(health));
}

/** A TLS 1.2 hello with one cipher, and a name as its only extension (RFC 8446, 4.1.2; RFC 6066, 3). */
function hello(name: string): Uint8Array {
  const u16 = (value: number) => [value >> 8, value & 255];
  const host = [0, ...u16(name.length), ...bytesOf(name)];
  const list = [...u16(host.length), ...host];
  const extensions = [0, 0, ...u16(list.length), ...list];
  const body = [3, 3, ...new Array<number>(32).fill(7), 0, 0, 2, 0x13, 1, 1, 0];
  const message = [...body, ...u16(extensions.length), ...extensions];
  const handshake = [1, 0, ...u16(message.length), ...message];
  return Uint8Array.from([0x16, 3, 1, ...u16(handshake.length), ...handshake]);
}
