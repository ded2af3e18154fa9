/** What is explained is what happens: the same client, asked about first and then let come. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balances } from '../../../src/core/balancers/table.ts';
import type { Command } from '../../../src/core/contract.ts';
import { explain } from '../../../src/core/explain/explain.ts';
import type { Explanation } from '../../../src/core/explain/explanation.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import type { ListenerPolicy, Plan, RouteCondition } from '../../../src/core/plan.ts';
import { seeded } from '../../support/seeded.ts';
import { backendPlan, CoreStage, capacity, listenerTls } from '../harness.ts';
import { alpn, hello, serverName } from '../wire/hello.ts';
import { bytesOf, headersFrom, limitsOf, networks, planWith, to, v1 } from './plans.ts';

const addresses = ['192.0.2.1', '10.0.0.1', '198.51.100.7', 'unix'];
const words = [
  ...[
    '',
    'GE',
    'x',
    'SSH-2.0-x\r\n',
    'hello\r\n',
    'PRO',
    '\r\n',
    '\x16\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ],
  'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n',
  '\r\nGET / HTTP/1.1\nHost: a.example\n\n',
  'GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n',
  `GET / HTTP/1.1\r\nCookie: ${'x'.repeat(200)}\r\nHost: a.example\r\n\r\n`,
  '\x16\x03\x01\0\0',
];
const headers = ['', v1, 'PROXY UNKNOWN\r\n', 'PROXY TCP4 1', 'PROXY what\r\n'];

const address = fc.constantFrom(...addresses);
const networkOf = address.map((one) => networks(`${one}/24`));
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const few = fc.constantFrom(1, 2, 3, Number.POSITIVE_INFINITY);

const byName: Partial<RouteCondition> = { sni: ['a.example'] };
const byProtocol: Partial<RouteCondition> = { alpn: ['h2'] };

const mixed: fc.Arbitrary<Partial<RouteCondition>> = fc.record({
  client: maybe(networkOf),
  protocol: maybe(fc.constantFrom(['ssh'] as const, ['http', 'unknown'] as const)),
  httpHost: maybe(fc.constantFrom(['a.example'], ['b.example', '*.example'])),
  sni: fc.option(fc.constant(['a.example']), { nil: undefined, freq: 1 }),
  alpn: maybe(fc.constantFrom(['h2'], ['acme', 'http/1.1'])),
});

const condition = fc.oneof(
  { weight: 3, arbitrary: mixed },
  { weight: 1, arbitrary: fc.constant(byName) },
  { weight: 1, arbitrary: fc.constant(byProtocol) },
);

const shares = [
  { pool: 0, weight: 2 },
  { pool: 2, weight: 1 },
];

const plan: fc.Arbitrary<Plan> = fc
  .record({
    routes: fc.array(fc.tuple(fc.constantFrom(0, 1, 'split'), condition), { maxLength: 4 }),
    pool: maybe(fc.constant(0)),
    allow: maybe(networkOf),
    deny: maybe(networkOf),
    mode: fc.constantFrom('off', 'required', 'optional'),
    listenerMax: few,
    clientMax: few,
    rate: few,
    balance: fc.constantFrom(...balances),
    backendMax: few,
    queueSize: fc.constantFrom(0, 1, 2),
    refuseWith: fc.constantFrom('reset', 'close'),
    undecided: fc.constantFrom('refuse', 'fallback'),
    maxBytes: fc.constantFrom(3, 100, 16_384),
    endsTls: fc.boolean(),
    agrees: fc.constantFrom([], ['h2'], ['http/1.1', 'h2']),
  })
  .map((some) => {
    const made = planWith(
      {
        routes: some.routes.map(([pool, when], slot) =>
          to(typeof pool === 'number' ? pool : { slot, shares }, when),
        ),
        pool: some.pool,
        access: { allow: some.allow, deny: some.deny },
        tls: some.mode === 'off' && some.endsTls ? { ...listenerTls, alpn: some.agrees } : 'off',
        proxyProtocol: some.mode === 'off' ? 'off' : headersFrom('10.0.0.0/8', some.mode),
        limits: limitsOf(
          { maxConnections: some.listenerMax * 2, connectionsPerSecond: some.rate, burst: 2 },
          { maxConnections: some.clientMax },
        ),
        refuseWith: some.refuseWith,
        // A hello that inspect cuts short is the engine's to judge, which is not here.
        inspect: {
          timeoutMs: 3_000,
          maxBytes: some.endsTls ? 16_384 : some.maxBytes,
          undecided: some.undecided,
        },
      },
      {
        balance: some.balance,
        limits: {
          maxConnections: Number.POSITIVE_INFINITY,
          queue: { size: some.queueSize, timeoutMs: 60_000 },
        },
      },
    );
    const pools = made.pools.map((pool) => ({
      ...pool,
      backends: pool.backends.map(({ slot }, index) =>
        backendPlan(slot, { weight: index + 1, maxConnections: some.backendMax, backup: slot === 5 }),
      ),
    }));
    return { ...made, pools };
  });

type End = { readonly address: string; readonly port: number };

interface Hello {
  readonly sni: string | undefined;
  readonly alpn: readonly string[] | undefined;
  readonly bytes: Uint8Array;
}

const hellos: readonly Hello[] = [undefined, 'a.example', 'b.example'].flatMap((sni) =>
  [undefined, ['h2', 'http/1.1'], ['http/1.1'], ['acme']].map((offers) => {
    const extensions = [...(sni ? [serverName(sni)] : []), ...(offers ? [alpn(...offers)] : [])];
    return { sni, alpn: offers, bytes: hello({ extensions }) };
  }),
);

interface Visit {
  readonly client: End;
  /** What it says first, or behind a handshake that ends here; where that is a hello, nothing more. */
  readonly bytes: Uint8Array;
  /** How it begins a handshake that ends here. */
  readonly hello: Hello;
  /** A backend that goes down before. */
  readonly down: number;
  readonly afterMs: number;
}

const said = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...headers), fc.constantFrom(...words))
      .map(([a, b]) => bytesOf(a + b)),
  },
  fc.constant(undefined),
);

const visit: fc.Arbitrary<Visit> = fc
  .record({
    client: address.map((one) => ({ address: one, port: 40_000 })),
    said: fc
      .tuple(said, fc.constantFrom(...hellos))
      .map(([bytes, hello]) => ({ bytes: bytes ?? hello.bytes, hello })),
    down: fc.integer({ min: 0, max: 20 }),
    afterMs: fc.constantFrom(0, 300),
  })
  .map(({ said, ...visit }) => ({ ...visit, ...said }));

describe('explain', () => {
  it('says what then happens to the client that comes, and changes nothing', () => {
    const kinds = new Set<string>();
    fc.assert(
      fc.property(plan, fc.array(visit, { minLength: 1, maxLength: 8 }), (plan, visits) => {
        const buffer = new ArrayBuffer(Ledger.byteLength(capacity));
        const ledger = new Ledger(buffer, capacity, 0);
        const stage = new CoreStage(plan, { ledger });
        for (const { client, bytes, hello, down, afterMs } of visits) {
          // What begins a hello and is none is the engine's to judge, which is not here.
          const endsTls = plan.listeners[0]?.policy.tls !== 'off';
          if (endsTls && bytes[0] === 0x16 && bytes !== hello.bytes) continue;
          stage.elapse(afterMs);
          if (down < 6) stage.turn(down, 'down');
          const before = buffer.slice(0);
          const told = endsTls && bytes !== hello.bytes ? { sni: hello.sni, alpn: hello.alpn } : {};
          const inquiry = { listener: 'web', client, bytes, ...told };
          const said = explain(plan, ledger, inquiry, stage.nowMs, seeded(1));
          expect(Buffer.compare(Buffer.from(buffer), Buffer.from(before))).toBe(0);
          const found = come(stage, plan, client, bytes, hello);
          expect(comparable(said, found)).toEqual(found);
          kinds.add(found.reason ?? (found.backend === undefined ? 'queued' : 'dialed'));
        }
      }),
      { numRuns: 1_500 },
    );
    // What the clients above have met: the property would say little if they were all dialed.
    for (const kind of [
      'dialed',
      'queued',
      'denied',
      'rate-limited',
      'listener-full',
      'client-full',
      'bad-proxy-header',
      'tls-failed',
      'inspect-timeout',
      'no-route',
      'no-backend',
      'pool-full',
      'queue-full',
    ])
      expect([...kinds]).toContain(kind);
  }, 60_000);
});

interface Fate {
  readonly backend: string | undefined;
  readonly reason: string | undefined;
  readonly waitedMs: number;
}

/** The client connects, says its bytes as they are asked for, shakes hands where it is to, and no more. */
function come(stage: CoreStage, plan: Plan, client: End, bytes: Uint8Array, hello: Hello): Fate {
  const sinceMs = stage.nowMs;
  const queued = () => [0, 1, 2].reduce((sum, pool) => sum + stage.ledger.poolQueued.total(pool), 0);
  const queuedBefore = queued();
  const opened = stage.connect(client);
  const { session } = opened;
  let commands = opened.commands;
  // Where TLS ends here, what is described is said in there, unless it is the hello itself.
  const tls = plan.listeners[0]?.policy.tls ?? 'off';
  const isHello = bytes === hello.bytes;
  let unread = tls === 'off' ? bytes : hello.bytes;
  for (let step = 0; step < 5_000; step++) {
    const waitedMs = stage.nowMs - sinceMs;
    const mine = commands.filter((command) => isOf(stage, command, session));
    for (const command of mine) if (command.kind === 'discard') unread = unread.subarray(command.bytes);
    const last = mine.at(-1);
    if (last?.kind === 'connect') {
      const [dialed] = CoreStage.dialed([last]);
      stage.dialed(session);
      const backends = plan.pools.flatMap((pool) => pool.backends);
      return { backend: backends.find(({ slot }) => slot === dialed)?.name, reason: undefined, waitedMs };
    }
    if (last?.kind === 'close') {
      stage.end(session, 'closed');
      return { backend: undefined, reason: stage.lastRecord?.reason, waitedMs };
    }
    if (last?.kind === 'start-tls') {
      unread = isHello ? new Uint8Array() : bytes;
      commands = shakeHands(stage, session, tls, hello);
      continue;
    }
    if (last?.kind !== 'inspect' || queued() > queuedBefore)
      return { backend: undefined, reason: undefined, waitedMs };
    if (unread.length > last.beyond)
      commands = stage.say({ kind: 'received', link: session, bytes: unread.slice() });
    else {
      const dueMs = stage.core.nextDeadlineMs;
      if (dueMs === undefined) throw new Error('Expected a client that waits to have its time');
      commands = stage.elapse(Math.max(0, dueMs - stage.nowMs));
      if (!commands.some((command) => isOf(stage, command, session)))
        commands = [{ kind: 'inspect', link: session, beyond: unread.length }];
    }
  }
  throw new Error('Expected the client to come to an end');
}

/** As RFC 7301 has it: the server's first protocol that is offered, and an end where none is. */
function shakeHands(
  stage: CoreStage,
  session: number,
  tls: ListenerPolicy['tls'],
  { sni, alpn }: Hello,
): readonly Command[] {
  const spoken = tls === 'off' ? [] : tls.alpn;
  const agreed = spoken.find((one) => alpn?.includes(one));
  if (alpn === undefined || spoken.length === 0 || agreed !== undefined)
    return stage.secure(session, agreed, sni);
  return stage.say({ kind: 'tls-failed', link: session, detail: 'No protocol is shared' });
}

function isOf(stage: CoreStage, command: Command, session: number): boolean {
  if (!('link' in command)) return false;
  return command.link === session || command.link === stage.backendOf(session);
}

/** What was said, in the words of what happened; a pick by chance is right when it was possible. */
function comparable({ outcome, waits }: Explanation, found: Fate): Fate {
  const waitedMs = waits.reduce((sum, { upToMs }) => sum + upToMs, 0);
  if (outcome.kind !== 'dial') {
    return { backend: undefined, reason: outcome.kind === 'refuse' ? outcome.reason : undefined, waitedMs };
  }
  const isRight = found.backend !== undefined && outcome.possible.includes(found.backend);
  return {
    backend: outcome.certainty === 'one-of-several' && isRight ? found.backend : outcome.backend,
    reason: undefined,
    waitedMs,
  };
}
