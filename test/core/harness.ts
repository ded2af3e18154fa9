/** A core on a plain buffer with virtual time: what its tests share. */
import type { Client, Command, Core, CoreEvent, SessionRecord } from '../../src/core/contract.ts';
import { createCore } from '../../src/core/core.ts';
import { healthWords, Ledger, type LedgerCapacity } from '../../src/core/ledger/ledger.ts';
import type {
  BackendPlan,
  ListenerPlan,
  ListenerPolicy,
  Plan,
  PoolPlan,
  PoolPolicy,
} from '../../src/core/plan.ts';

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
  probed: false,
};

export function backendPlan(slot: number, more: Partial<BackendPlan> = {}): BackendPlan {
  const address = { host: '10.0.0.1', port: 9_000 + slot };
  return {
    slot,
    name: `10.0.0.1:${9_000 + slot}`,
    address,
    hostName: undefined,
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

/** Mulberry32 (Tommy Ettinger): small, seeded, good enough for tests. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Drives one core by hand: events in, commands noted, time moved on by the test. */
export class CoreStage {
  readonly ledger: Ledger;
  readonly core: Core;
  readonly records: SessionRecord[] = [];
  nowMs = 1_000;
  lastByteMs = 0;
  #sessions = 0;

  constructor(plan: Plan, { ledger = freshLedger(), seed = 1 }: { ledger?: Ledger; seed?: number } = {}) {
    this.ledger = ledger;
    this.core = createCore({
      ledger,
      activity: {
        lastByteMs: () => this.lastByteMs,
        arrivedAt: () => ({ address: '203.0.113.1', port: 443 }),
      },
      random: seeded(seed),
    });
    this.say({ kind: 'plan', plan });
  }

  /** Hands an event over; reports are put into `records`, the other commands are given back. */
  say(event: CoreEvent): readonly Command[] {
    return this.core.handle(event, this.nowMs).filter((command) => {
      if (command.kind === 'report') this.records.push(command.record);
      return command.kind !== 'report';
    });
  }

  /** A client connects; gives its session and what the core did at once. */
  connect(client: Client = { address: '192.0.2.1', port: 40_000 }): {
    session: number;
    commands: readonly Command[];
  } {
    const session = this.#sessions++;
    return { session, commands: this.say({ kind: 'accepted', session, listener: 0, client }) };
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

  end(
    session: number,
    how: 'finished' | 'client-reset' | 'backend-reset' | 'closed' = 'finished',
  ): readonly Command[] {
    const endedBy = how === 'backend-reset' ? 'backend' : how === 'closed' ? 'proxy' : 'client';
    return this.say({ kind: 'ended', session, how, endedBy, bytesToBackend: 5, bytesToClient: 0 });
  }

  /** A client connects and its backend takes it at once; gives the session and the backend. */
  relay(client?: Client): { session: number; backend: number | undefined } {
    const { session, commands } = this.connect(client);
    this.dialed(session);
    return { session, backend: CoreStage.dialed(commands)[0] };
  }

  dialed(session: number): readonly Command[] {
    return this.say({ kind: 'dialed', session });
  }

  failDial(
    session: number,
    why: 'connect-refused' | 'connect-failed' | 'exhausted' = 'connect-refused',
  ): readonly Command[] {
    return this.say({ kind: 'dial-failed', session, why });
  }

  halfClose(session: number, side: 'client' | 'backend', unsentBytes = 0): readonly Command[] {
    return this.say({ kind: 'half-closed', session, side, unsentBytes });
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

  /** How the sessions closed by these commands are closed. */
  static closed(commands: readonly Command[]): readonly ('reset' | 'fin')[] {
    return commands.flatMap((command) => (command.kind === 'close' ? [command.how] : []));
  }

  /** The slots dialed by these commands. */
  static dialed(commands: readonly Command[]): readonly number[] {
    return commands.flatMap((command) => (command.kind === 'dial' ? [command.backend] : []));
  }
}
