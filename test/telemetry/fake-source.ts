/** A small plan over a real ledger, for whatever shows or exports it. */
import type { AdminSource, ReloadResult } from '../../src/admin/api/route.ts';
import type { Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/load.ts';
import { defaultBackend } from '../../src/config/options/backends.ts';
import { defaultListenerPolicy } from '../../src/config/options/listener.ts';
import { defaultPoolPolicy } from '../../src/config/options/pool.ts';
import { Administration, type PoolPatch } from '../../src/control/administration.ts';
import type { BackendName, BackendPatch, Mark } from '../../src/control/overrides.ts';
import type { ExpandedPool } from '../../src/control/planner.ts';
import { Sessions } from '../../src/control/sessions.ts';
import type { Accept } from '../../src/core/admin-state.ts';
import { type BusyClients, busiestClients } from '../../src/core/busiest-clients.ts';
import { explain } from '../../src/core/explain/explain.ts';
import type { Explanation, Inquiry } from '../../src/core/explain/explanation.ts';
import { Ledger, type LedgerCapacity } from '../../src/core/ledger/ledger.ts';
import type { ListenerPlan, Plan } from '../../src/core/plan.ts';
import { Events } from '../../src/telemetry/events.ts';
import { History } from '../../src/telemetry/history.ts';
import { Observations } from '../../src/telemetry/observations.ts';
import {
  type Phase,
  type PoolSnapshot,
  type Snapshot,
  type SnapshotSource,
  snapshot,
} from '../../src/telemetry/snapshot.ts';

const capacity: LedgerCapacity = { workers: 2, listeners: 4, pools: 4, backends: 16, splits: 4, clients: 16 };

export class FakeSource implements AdminSource {
  readonly administration = new Administration();
  readonly events = new Events(0);
  readonly history = new History(this);
  readonly sessions = new Sessions(() => []);
  readonly config = fakeConfig;
  /** All of these at once. */
  readonly view = this;
  readonly operator = this;
  plan: Plan = fakePlan(['web', 'api'], { app: ['10.0.0.1:9000', 'unix:/run/app.sock'], db: ['[::1]:5432'] });
  phase: Phase = 'serving';
  readonly phaseSinceMs = 1_700_000_000_500;
  readonly origin = () => ({ file: '/etc/sluice/sluice.yaml', hash: '0123456789abcdef' });
  readonly observations = new Observations(1_700_000_000_000);
  readonly bufferLimitBytes = 1_000;
  linesLeftOut = 0;
  readonly certificates: SnapshotSource['certificates'] = {
    own: [
      { of: { listener: 'web' }, name: 'a.example', notAfterMs: 1_900_000_000_000 },
      { of: { listener: 'web' }, name: 'a.example', notAfterMs: 1_800_000_000_000 },
      { of: { pool: 'app' }, name: 'proxy.internal', notAfterMs: 1_700_000_100_000 },
    ],
    shownBy: (_, { slot }) =>
      slot === 2 ? { name: 'db.internal', notAfterMs: 1_750_000_000_500 } : undefined,
  };
  readonly build = {
    version: '1.2.3',
    node: '20.19.0',
    driver: 'portable',
    driverReason: 'the test says so',
  };
  readonly boundTo = new Map([
    ['web', ['0.0.0.0:8080']],
    ['api', ['127.0.0.1:8081', 'unix:/run/api.sock']],
  ]);
  pending: readonly string[] = [];
  readonly pendingRestart = () => this.pending;
  readonly logLinesLeftOut = () => this.linesLeftOut;
  readonly leavingListeners: ListenerPlan[] = [];
  reloaded: () => Promise<ReloadResult> = () =>
    Promise.resolve({ ok: true, changes: {}, pendingRestart: [] });
  readonly ledger: Ledger;
  /** Two workers' views of the same numbers. */
  readonly workers: readonly [Ledger, Ledger];

  constructor() {
    const buffer = new ArrayBuffer(Ledger.byteLength(capacity));
    this.ledger = new Ledger(buffer, capacity, 'main');
    this.administration.over(this.plan.pools.map(expanded), ['web', 'api'], 0).commit();
    this.workers = [new Ledger(buffer, capacity, 0), new Ledger(buffer, capacity, 1)];
  }

  driverOf({ name }: { readonly name: string }): string {
    return name === 'api' ? 'portable' : 'uring';
  }

  bound(): ReadonlyMap<string, readonly string[]> {
    return this.boundTo;
  }

  leaving(): readonly ListenerPlan[] {
    return this.leavingListeners;
  }

  running() {
    return [
      { number: 0, driver: 'uring', lagMs: 2 },
      { number: 1, driver: 'portable', lagMs: 3 },
    ];
  }

  probeLag(): void {}

  busiestClients(name: string, most: number): BusyClients | undefined {
    const listener = this.plan.listeners.find((one) => one.name === name);
    return listener && busiestClients(this.ledger, { slot: listener.slot, ipv6Prefix: 64 }, most);
  }

  snapshot(): Snapshot {
    return snapshot(this, { monotonicMs: 1_000, wallClockMs: 1_700_000_001_000 });
  }

  explain(inquiry: Inquiry): Explanation {
    return explain(this.plan, this.ledger, inquiry, 1_000, () => 0);
  }

  pool(name: string): PoolSnapshot | undefined {
    return this.snapshot().pools.find((one) => one.name === name);
  }

  setCircuit({ backend }: BackendName, to: 'closed' | 'open', openForMs: number): boolean {
    const slot = this.plan.pools.flatMap((pool) => pool.backends).find(({ name }) => name === backend)?.slot;
    if (slot === undefined) return false;
    if (to === 'closed') this.ledger.closeCircuit(slot);
    else this.ledger.openCircuit(slot, 1_000, 1_000 + openForMs);
    return true;
  }

  async patchListener(name: string, accept: Accept | null, mark: Mark, revision?: string): Promise<void> {
    this.administration.patchListener(name, accept, mark, revision);
  }

  async patchBackend(name: BackendName, patch: BackendPatch, mark: Mark, revision?: string): Promise<void> {
    this.administration.patch(name, patch, mark, revision);
  }

  async patchPool(name: string, patch: PoolPatch, mark: Mark, revision?: string): Promise<void> {
    this.administration.patchPool(name, patch, mark, revision);
    this.#followHolds();
  }

  async resetOverrides(name: BackendName | undefined, mark: Mark): Promise<void> {
    this.administration.reset(name, mark);
    this.#followHolds();
  }

  #followHolds(): void {
    const { pools } = this.administration.over(this.plan.pools.map(expanded), ['web', 'api'], 0);
    const holds = new Map(pools.map((pool) => [pool.name, pool.hold]));
    this.plan = {
      ...this.plan,
      pools: this.plan.pools.map((pool) => ({ ...pool, hold: holds.get(pool.name) })),
    };
  }

  readonly reload = () => this.reloaded();
}

const fakeConfig = configOf(`
version: 1
listeners: { web: { bind: "0.0.0.0:8080", pool: app, allow: [10.0.0.0/8] } }
pools: { app: { backends: ["10.0.0.1:9000"], healthCheck: { type: tcp, interval: 2s } } }
admin: { token: "a-secret" }
`);

function configOf(text: string): Config {
  const loaded = parseConfig(text, { file: 'fake', env: {} });
  if (!loaded.ok) throw new Error(loaded.issues.map(({ message }) => message).join());
  return loaded.config;
}

/** Slots are given in the order in which the names stand. */
export function fakePlan(
  listeners: readonly string[],
  pools: Readonly<Record<string, readonly string[]>>,
): Plan {
  let backendSlot = 0;
  return {
    listeners: listeners.map((name, slot) => ({
      slot,
      name,
      pool: 0,
      routes: [],
      policy: defaultListenerPolicy,
    })),
    pools: Object.entries(pools).map(([name, backends], slot) => ({
      slot,
      name,
      policy: defaultPoolPolicy,
      backends: backends.map((name) => ({
        ...defaultBackend,
        state: 'ready',
        slot: backendSlot++,
        name,
        address: { path: name },
        hostName: undefined,
      })),
    })),
  };
}

/** A pool of the plan as its configuration has it. */
function expanded({ name, policy, backends }: Plan['pools'][number]): ExpandedPool {
  return {
    ...{ name, policy, healthCheck: undefined, agentCheck: undefined },
    backends: backends.map((one) => ({ ...one, configuredAs: one.name })),
  };
}
