/** A core on a plain buffer with virtual time: what its tests share. */
import { expect } from 'vitest';
import type { Command, Core, CoreEvent, LinkEnd, LinkId } from '../../src/core/contract.ts';
import { createCore } from '../../src/core/core.ts';
import { healthWords, Ledger, type LedgerCapacity } from '../../src/core/ledger/ledger.ts';
import { Links } from '../../src/core/links.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type {
  BackendPlan,
  ListenerPlan,
  ListenerPolicy,
  ListenerTls,
  Plan,
  PoolPlan,
  PoolPolicy,
} from '../../src/core/plan.ts';
import type { Incident, SessionRecord } from '../../src/core/reports.ts';
import type { Session } from '../../src/core/session.ts';
import { seeded } from '../support/seeded.ts';

export const capacity: LedgerCapacity = {
  workers: 2,
  listeners: 4,
  pools: 4,
  backends: 1_024,
  splits: 4,
  clients: 64,
};

const unlimited = Number.POSITIVE_INFINITY;

export const listenerPolicy: ListenerPolicy = {
  limits: {
    maxConnections: unlimited,
    connectionsPerSecond: unlimited,
    burst: unlimited,
    perClient: {
      maxConnections: unlimited,
      connectionsPerSecond: unlimited,
      burst: unlimited,
      ipv6Prefix: 64,
    },
  },
  timeouts: { idleMs: 600_000, halfClosedMs: 60_000, maxLifetimeMs: unlimited },
  refuseWith: 'reset',
  access: { allow: undefined, deny: undefined },
  proxyProtocol: 'off',
  inspect: { timeoutMs: 3_000, maxBytes: 16_384, undecided: 'refuse' },
  tls: 'off',
};

export const listenerTls: ListenerTls = {
  certificates: [],
  minVersion: 'TLSv1.2',
  alpn: [],
  clientAuth: 'off',
  clientCa: undefined,
  handshakeTimeoutMs: 5_000,
};

export const poolPolicy: PoolPolicy = {
  balance: 'round-robin',
  connect: {
    timeoutMs: 2_000,
    retries: 2,
    backoff: { initialMs: 50, maxMs: 1_000 },
    proxyProtocol: 'off',
    tls: 'off',
  },
  circuitBreaker: { consecutiveFailures: 5, openForMs: 5_000, maxOpenForMs: 300_000, halfOpenTrials: 1 },
  limits: { maxConnections: unlimited, queue: { size: 0, timeoutMs: 5_000 } },
  slowStartMs: 0,
  whenBackendDown: 'keep',
  panicThresholdPercent: 0,
};

export function backendPlan(slot: number, more: Partial<BackendPlan> = {}): BackendPlan {
  const address = { host: '10.0.0.1', port: 9_000 + slot };
  return {
    slot,
    name: `10.0.0.1:${9_000 + slot}`,
    address,
    hostName: undefined,
    state: 'ready',
    weight: 1,
    backup: false,
    maxConnections: unlimited,
    ...more,
  };
}

export function poolPlan(
  backends: number | readonly BackendPlan[],
  policy: Partial<PoolPolicy> = {},
): PoolPlan {
  return {
    slot: 0,
    name: 'app',
    policy: { ...poolPolicy, ...policy },
    backends:
      typeof backends === 'number'
        ? Array.from({ length: backends }, (_, slot) => backendPlan(slot))
        : backends,
  };
}

export function listenerPlan(policy: Partial<ListenerPolicy> = {}): ListenerPlan {
  return { slot: 0, name: 'web', pool: 0, routes: [], policy: { ...listenerPolicy, ...policy } };
}

export function planOf(pool: PoolPlan, listener: ListenerPlan = listenerPlan()): Plan {
  return { listeners: [listener], pools: [pool] };
}

export function freshLedger(worker: number | 'main' = 0): Ledger {
  return new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, worker);
}

/** Views of so many workers over one buffer, as their threads would have. */
export function sharedLedgers(
  workers: number,
  of: LedgerCapacity = { ...capacity, workers },
): readonly Ledger[] {
  const buffer = new SharedArrayBuffer(Ledger.byteLength(of));
  return Array.from({ length: workers }, (_, worker) => new Ledger(buffer, of, worker));
}

/**
 * Drives one core by hand: events in, commands noted, time moved on by the test. A session is named by its client's
 * link.
 */
export class CoreStage {
  readonly ledger: Ledger;
  readonly core: Core;
  readonly records: SessionRecord[] = [];
  readonly incidents: Incident[] = [];
  nowMs = 1_000;
  lastByteMs = 0;
  waitingBytes = 0;
  readonly #links = new Links<Session>();
  /** By client's link: whether it has been said to be half-closed. Links whose last event was said are not here. */
  readonly #clients = new Map<LinkId, { isHalfClosed: boolean }>();
  readonly #joined = new Set<LinkId>();
  readonly #backends = new Map<LinkId, { readonly client: LinkId }>();

  constructor(
    plan: Plan,
    {
      ledger = freshLedger(),
      seed = 1,
      worker = 0,
    }: { ledger?: Ledger; seed?: number; worker?: number } = {},
  ) {
    this.ledger = ledger;
    this.core = createCore(
      {
        ledger,
        worker,
        activity: {
          lastByteMs: () => this.lastByteMs,
          waitingBytes: () => this.waitingBytes,
          sentBytes: () => 0,
          localEndpoint: () => endpoint('203.0.113.1', 443),
        },
        random: seeded(seed),
      },
      this.#links,
    );
    this.say({ kind: 'plan', plan });
  }

  /**
   * Hands an event over; what is for people is put into `records` and `incidents`, the other commands are given back.
   */
  say(event: CoreEvent): readonly Command[] {
    const { count, commands } = this.core.handle(event, this.nowMs);
    const given = commands.slice(0, count);
    for (const command of given) {
      if (command.kind === 'report') this.records.push(command.record);
      if (command.kind === 'tell') this.incidents.push(command.incident);
      if (command.kind === 'join') this.#joined.add(command.client);
      if (command.kind === 'connect')
        this.#backends.set(command.link, { client: this.#clientOf(command.link) });
    }
    return given.filter(({ kind }) => kind !== 'report' && kind !== 'tell');
  }

  /** A client connects; gives its session and what the core did at once. */
  connect(
    client: { readonly address: string; readonly port: number } = { address: '192.0.2.1', port: 40_000 },
    listener = 0,
  ): { session: LinkId; commands: readonly Command[] } {
    let link = 0;
    while (this.#clients.has(link)) link += 2;
    this.#clients.set(link, { isHalfClosed: false });
    const peer = endpoint(client.address, client.port);
    return { session: link, commands: this.say({ kind: 'accepted', link, listener, peer }) };
  }

  /** Moves time on to the next deadlines, one after the other, up to the given time. */
  elapse(ms: number): readonly Command[] {
    const untilMs = this.nowMs + ms;
    const commands: Command[] = [];
    for (let turns = 0; turns < 100_000; turns++) {
      const nextMs = this.core.nextDeadlineMs;
      if (nextMs === undefined || nextMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      commands.push(...this.say({ kind: 'deadline' }));
    }
    this.nowMs = untilMs;
    return commands;
  }

  /** The link of the backend that a session has; undefined while it has none. */
  backendOf(session: LinkId): LinkId | undefined {
    for (const [link, { client }] of this.#backends) if (client === session) return link;
    return undefined;
  }

  /** Whether it is the link of a backend, and its last event was not said. */
  isDialed(link: LinkId): boolean {
    return this.#backends.has(link);
  }

  isJoined(session: LinkId): boolean {
    return this.#joined.has(session);
  }

  /** Both links of a session end, the way that is said first. */
  end(
    session: LinkId,
    how: 'finished' | 'client-reset' | 'backend-reset' | 'closed' = 'finished',
  ): readonly Command[] {
    const backend = this.backendOf(session);
    const client = this.#clients.get(session);
    if (how === 'finished' && client?.isHalfClosed === false) this.halfClose(session, 'client');
    const ends = {
      finished: ['finished', 'finished'],
      'client-reset': ['reset-by-peer', 'reset-with-partner'],
      'backend-reset': ['reset-with-partner', 'reset-by-peer'],
      closed: ['closed', 'closed'],
    } as const;
    const [ofClient, ofBackend] = ends[how];
    const commands: Command[] = [];
    if (backend !== undefined && how === 'backend-reset') commands.push(...this.close(backend, ofBackend, 5));
    if (client !== undefined) commands.push(...this.close(session, ofClient));
    if (backend !== undefined && how !== 'backend-reset') commands.push(...this.close(backend, ofBackend, 5));
    return commands;
  }

  /** A link's last event. */
  close(link: LinkId, end: LinkEnd = 'closed', sentBytes = 0): readonly Command[] {
    this.#clients.delete(link);
    this.#backends.delete(link);
    this.#joined.delete(link);
    return this.say({ kind: 'closed', link, end, sentBytes });
  }

  /** A client connects and its backend takes it at once; gives the session and the backend. */
  relay(client?: { readonly address: string; readonly port: number }): {
    session: LinkId;
    backend: number | undefined;
  } {
    const { session, commands } = this.connect(client);
    this.dialed(session);
    return { session, backend: CoreStage.dialed(commands)[0] };
  }

  dialed(session: LinkId): readonly Command[] {
    const link = this.backendOf(session);
    return link === undefined ? [] : this.say({ kind: 'connected', link });
  }

  /** The TLS handshake of the client is done. */
  secure(session: LinkId, alpn?: string, serverName?: string): readonly Command[] {
    const tls = { version: 'TLSv1.3', alpn, serverName, clientSubject: undefined };
    return this.say({ kind: 'tls-established', link: session, tls });
  }

  /** The TLS handshake with the backend is done. */
  establish(session: LinkId): readonly Command[] {
    return this.secure(this.backendOf(session) ?? -1);
  }

  failDial(
    session: LinkId,
    why: 'connect-refused' | 'connect-failed' | 'exhausted' = 'connect-refused',
  ): readonly Command[] {
    const link = this.backendOf(session);
    if (link === undefined) return [];
    this.#backends.delete(link);
    return this.say({ kind: 'connect-failed', link, why, detail: 'ECONNREFUSED' });
  }

  halfClose(session: LinkId, side: 'client' | 'backend', heldBytes = 0): readonly Command[] {
    const client = this.#clients.get(session);
    if (client !== undefined) client.isHalfClosed = true;
    const link = side === 'client' ? session : this.backendOf(session);
    return link === undefined ? [] : this.say({ kind: 'half-closed', link, heldBytes });
  }

  /** Says that a probe has changed a backend's health, in the ledger and to the core. */
  turn(backend: number, health: 'up' | 'down'): readonly Command[] {
    Atomics.store(this.ledger.health, backend, healthWords.indexOf(health));
    return this.say({ kind: 'health-changed', backend, health });
  }

  follow(plan: Plan): readonly Command[] {
    return this.say({ kind: 'plan', plan });
  }

  /** What was reported last. */
  get lastRecord(): SessionRecord | undefined {
    return this.records.at(-1);
  }

  /** The command that dials for this session. */
  dialOf(session: LinkId | undefined): unknown {
    return expect.objectContaining({ kind: 'connect', link: this.backendOf(session ?? -1) ?? 'none' });
  }

  /** The command that joins the links of this session. */
  joinOf(session: LinkId): unknown {
    const slot = expect.any(Number);
    return { kind: 'join', client: session, backend: this.backendOf(session), slot, first: undefined };
  }

  /** How the sessions closed by these commands are closed. */
  static closed(commands: readonly Command[]): readonly ('reset' | 'fin')[] {
    return commands.flatMap((command) => (command.kind === 'close' ? [command.how] : []));
  }

  /** The slots dialed by these commands: backends of these tests have theirs in their port. */
  static dialed(commands: readonly Command[]): readonly number[] {
    return commands.flatMap((command) =>
      command.kind === 'connect' && 'port' in command.address ? [command.address.port - 9_000] : [],
    );
  }

  #clientOf(backend: LinkId): LinkId {
    const session = this.#links.sessionOf(backend);
    for (const client of this.#clients.keys()) if (this.#links.sessionOf(client) === session) return client;
    throw new Error(`Expected link ${backend} to be dialed for a client`);
  }
}

export function endpoint(address: string, port: number): Endpoint {
  return Endpoint.parse(address, port) ?? Endpoint.unix;
}
