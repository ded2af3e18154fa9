/**
 * The running proxy: groups of workers, and what keeps them informed (names, health, bindings). Every
 * change of configuration goes through `apply`, one at a time, and takes effect whole or not at all.
 */
import { once } from 'node:events';
import type { Logger } from 'pino';
import { formatAddress } from '../config/addresses.ts';
import type { Config, Target } from '../config/config.ts';
import { type BusyClients, busiestClients } from '../core/busiest-clients.ts';
import type { Address, ListenerSlot } from '../core/contract.ts';
import { explain } from '../core/explain/explain.ts';
import type { Explanation, Inquiry } from '../core/explain/explanation.ts';
import { defaultCapacity, Ledger, type LedgerCapacity } from '../core/ledger/ledger.ts';
import type { BackendPlan, ListenerPlan, Plan } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import { descriptorUse } from '../drivers/descriptors.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';
import { TicketKeys } from '../drivers/ticket-keys.ts';
import type { Events } from '../telemetry/events.ts';
import type { Observations } from '../telemetry/observations.ts';
import {
  type Moment,
  type Phase,
  type PoolSnapshot,
  poolSnapshot,
  type Snapshot,
  snapshot,
  type WorkerSnapshot,
} from '../telemetry/snapshot.ts';
import { type Administered, Administration, type Layers } from './administration.ts';
import { Bindings } from './bindings.ts';
import { Certificates } from './certificates.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { Discovery, type NameChange, namesIn, poolsWith } from './discovery/discovery.ts';
import { HealthWatch } from './health/health.ts';
import { LeavingListeners } from './leaving-listeners.ts';
import { logBound, logNameState } from './lines.ts';
import { Operations } from './operations.ts';
import type { BackendName, BackendPatch, Mark, Override } from './overrides.ts';
import { expand, Planner } from './planner.ts';
import { PoolWatch } from './pool-watch.ts';
import { Sessions } from './sessions.ts';
import type { Binding } from './workers/bound-addresses.ts';
import { WorkerLag } from './workers/lag.ts';
import { bufferBytes, workerCount } from './workers/sizes.ts';
import { WorkerGroups } from './workers/worker-groups.ts';

export interface ControlPlaneDeps {
  readonly config: Config;
  readonly driver: DriverModule;
  readonly logger: Logger;
  /** Takes finished log lines of the workers. */
  logLines(lines: string): void;
  readonly observations: Observations;
  readonly events: Events;
}

export class ControlPlane {
  readonly ledger: Ledger;
  /** As much as the buffers of all workers may hold. */
  readonly bufferLimitBytes: number;
  readonly certificates: Certificates;
  readonly #observations: Observations;
  readonly #lag: WorkerLag;
  readonly #logger: Logger;
  readonly #groups: WorkerGroups;
  readonly #bindings: Bindings;
  readonly #discovery: Discovery;
  readonly #planner: Planner;
  readonly #administration = new Administration();
  readonly #operations: Operations;
  readonly #health: HealthWatch;
  readonly #poolWatch: PoolWatch;
  readonly #descriptorWatch: DescriptorWatch;
  readonly #events: Events;
  /** Of all workers. */
  readonly sessions: Sessions;
  readonly #ticketKeys = new TicketKeys();
  readonly #rotation: NodeJS.Timeout;
  #config: Config;
  /** The one whose names are asked for. */
  #named: Config;
  #plan: Plan = { listeners: [], pools: [] };
  readonly #leaving: LeavingListeners;
  #phase: Phase = 'starting';
  /** In milliseconds since 1970. */
  #phaseSinceMs = Date.now();
  /** Accepts no more. Draining, it may still accept for a while, and follows what names stand for. */
  #hasClosed = false;
  #hasStopped = false;
  /** Changes under way wait for no names any more. */
  readonly #ending = new AbortController();
  /** Changes wait for each other: the end of the last one. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor({ config, driver, logger, logLines, observations, events }: ControlPlaneDeps) {
    const size = (module: DriverModule): number =>
      workerCount(config.workers, module, module === driver ? logger : undefined);
    const sizes = { uring: size(driverModules.uring), portable: size(driverModules.portable) };
    const capacity: LedgerCapacity = { ...defaultCapacity, workers: WorkerGroups.workers(driver, sizes) };
    const ledgerBuffer = new SharedArrayBuffer(Ledger.byteLength(capacity));
    this.#observations = observations;
    this.#config = config;
    this.#named = config;
    this.#logger = logger;
    this.#events = events;
    this.ledger = new Ledger(ledgerBuffer, capacity, 'main');
    this.#leaving = new LeavingListeners(this.ledger);
    this.#operations = new Operations({
      administration: this.#administration,
      stateFile: config.admin === 'off' ? undefined : config.admin.state,
      logger,
      administer: (change) => this.#administer(change),
    });
    this.ledger.clients.seed(crypto.getRandomValues(new Int32Array(2)));
    this.bufferLimitBytes = bufferBytes(config.memory);
    this.#planner = new Planner(this.ledger);
    this.#groups = new WorkerGroups({
      driver,
      sizes,
      ledgerBuffer,
      capacity,
      ledger: this.ledger,
      bufferBytes: this.bufferLimitBytes,
      log: () => this.#config.log,
      ticketKeys: this.#ticketKeys.memory,
      logLines,
      outOfDescriptors: () => this.#descriptorWatch.missing(),
      circuitChanged: ({ pool, backend, change }) => {
        const detail = change.to === 'open' ? change.lastError : undefined;
        if (detail !== undefined)
          observations.circuitOpened(pool, backend, { atMs: Date.now(), error: detail }, this.#plan);
        events.tell('circuit', { pool, backend, circuit: change.to, detail });
        this.#poolWatch.changed(pool, { backend, detail: detail ?? `circuit ${change.to}` });
      },
      workerDied: (worker, err) => logger.error({ worker, err }, 'worker died, starting another'),
      workerReplaced: () => {
        observations.workerRestarts++;
      },
      problem: (text) => logger.error(text),
      secondGroupStarted: ({ name }) => {
        const workers = workerCount(config.workers, driverModules.portable, logger);
        logger.info({ driver: name, workers }, 'workers of another driver started, for listeners with TLS');
      },
    });
    this.certificates = new Certificates(this.ledger, logger, events);
    this.sessions = new Sessions(() => this.#groups.threads);
    this.#lag = new WorkerLag(this.ledger, (notice) => this.#groups.tell(notice));
    this.#bindings = new Bindings(this.#groups, (text) => logger.error(text));
    this.#rotation = setInterval(() => this.#ticketKeys.rotate(), ticketKeyLifeMs).unref();
    this.#discovery = new Discovery({
      resolver: config.resolver,
      onChange: (name, change) => this.#nameChanged(name, change),
      onLookup: (name, problem) => observations.names.lookedUp(name, problem, Date.now()),
      onProblem: (name, state) => logNameState(logger, name, poolsWith(name, this.#named.pools), state),
    });
    this.#poolWatch = new PoolWatch(this.ledger, logger, monotonicMs);
    this.#descriptorWatch = new DescriptorWatch(logger, descriptorUse);
    this.#health = new HealthWatch(this.ledger, {
      now: monotonicMs,
      onResult: ({ pool, backend }, pass, detail, tookMs) => {
        observations.checked(pool, backend, { atMs: Date.now(), pass, detail, tookMs }, this.#plan);
        logger.debug({ pool, backend, pass, detail }, 'health check');
      },
      onChecksBlocked: ({ pool, backend }, detail) =>
        logger.warn({ pool, backend, detail }, 'health checks cannot be made, the last verdicts stand'),
      onChecksResumed: () => logger.info('health checks are made again'),
      onTransition: ({ pool, backend, slot }, health, detail) => {
        this.#groups.tell({ kind: 'health-changed', backend: slot, health });
        events.tell('health', { pool, backend, health, detail });
        if (health === 'up') logger.info({ pool, backend, detail }, 'backend up');
        else logger.warn({ pool, backend, detail }, 'backend down');
        this.#poolWatch.changed(pool, { backend, detail });
      },
    });
  }

  get plan(): Plan {
    return this.#plan;
  }

  get config(): Config {
    return this.#config;
  }

  get phase(): Phase {
    return this.#phase;
  }

  get phaseSinceMs(): number {
    return this.#phaseSinceMs;
  }

  /** Resolves names, binds listeners and serves. Throws a BindError, or a RangeError where there is too much. */
  async start(): Promise<void> {
    this.#operations.restore();
    await this.apply(this.#config);
    if (this.#phase === 'starting') this.#enter('serving');
  }

  /**
   * Changes over to another configuration. Throws as `start` does, and then all is as before. `freeAddresses` is called before
   * anything is bound.
   */
  apply(config: Config, freeAddresses = (): void => {}): Promise<void> {
    return this.#afterOthers(async () => {
      this.#named = config;
      this.#observations.names.follow(namesByPool(this.#config, config));
      await untilAborted(this.#discovery.resolve(targetsOf(config)), this.#ending.signal);
      try {
        freeAddresses();
        await this.#commit(config);
      } finally {
        // Names of a configuration that was refused are watched no longer.
        this.#named = this.#config;
        this.#discovery.retain(targetsOf(this.#config));
        this.#observations.names.follow(namesByPool(this.#config));
      }
    });
  }

  /** Where listeners are bound now. */
  addresses(): readonly Address[] {
    return [...this.#groups.bound.values()].map(({ address }) => address);
  }

  /** The addresses that each listener of the plan is bound to, as people write them. */
  bound(): ReadonlyMap<string, readonly string[]> {
    const bySlot = new Map<ListenerSlot, string[]>(this.#plan.listeners.map(({ slot }) => [slot, []]));
    for (const { listener, address } of this.#groups.bound.values())
      bySlot.get(listener)?.push(formatAddress(address));
    return new Map(this.#plan.listeners.map(({ name, slot }) => [name, bySlot.get(slot) ?? []]));
  }

  /** Listeners that the configuration has no more, but that have open sessions. */
  leaving(): readonly ListenerPlan[] {
    return this.#leaving.all;
  }

  /** The driver that serves a listener of the plan, or one that is leaving. */
  driverOf(listener: ListenerPlan): DriverModule['name'] {
    return this.#leaving.driverOf(listener.name) ?? this.#groups.driverOf(listener, this.#plan);
  }

  /** The workers that run, and how late each was when it was last looked at. */
  running(nowMs: number): readonly WorkerSnapshot[] {
    return this.#groups.running().map((worker) => ({ ...worker, lagMs: this.#lag.of(worker.number, nowMs) }));
  }

  /** Looks how late the workers are: the next snapshot tells. */
  probeLag(): void {
    const numbers = this.#groups.running().map(({ number }) => number);
    this.#lag.ask(numbers, monotonicMs());
  }

  /** What there is to say of the plan's listeners, pools and backends now. */
  snapshot(): Snapshot {
    return snapshot(this, thisMoment());
  }

  /** The clients of a listener that have most connections; undefined where there is no such listener. */
  busiestClients(name: string, most: number): BusyClients | undefined {
    const listener = [...this.#plan.listeners, ...this.leaving()].find((one) => one.name === name);
    if (listener === undefined) return undefined;
    const { slot, policy } = listener;
    return busiestClients(this.ledger, { slot, ipv6Prefix: policy.limits.perClient.ipv6Prefix }, most);
  }

  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation {
    return explain(this.#plan, this.ledger, inquiry, monotonicMs(), Math.random);
  }

  /** What each layer wants of a backend of the plan. */
  layersOf(name: BackendName): Layers | undefined {
    return this.#administration.layersOf(name);
  }

  /** How a backend is administered now. Throws an UnknownName. */
  administered(name: BackendName): Administered {
    return this.#administration.backend(name);
  }

  get overrides(): readonly Override[] {
    return this.#administration.overrides;
  }

  /** One pool as it is now; undefined where there is none of the name. */
  pool(name: string): PoolSnapshot | undefined {
    const pool = this.#plan.pools.find((one) => one.name === name);
    return pool && poolSnapshot(pool, this, thisMoment());
  }

  /** Opens or closes a breaker by hand; false where the pool has none. Throws an UnknownName. */
  setCircuit(name: BackendName, to: 'closed' | 'open', openForMs: number): boolean {
    const { pool, backend } = this.administered(name);
    const plan = this.#plan.pools.find((one) => one.name === pool);
    const slot = plan?.backends.find((one) => one.name === backend)?.slot;
    if (plan === undefined || slot === undefined || plan.policy.circuitBreaker === 'off') return false;
    const nowMs = monotonicMs();
    if (to === 'closed') this.ledger.closeCircuit(slot);
    else this.ledger.openCircuit(slot, nowMs, nowMs + openForMs);
    this.#groups.tell({ kind: 'woken' });
    this.#events.tell('circuit', { pool, backend, circuit: to, detail: 'by an operator' });
    this.#poolWatch.changed(pool, { backend, detail: `circuit ${to} by an operator` });
    return true;
  }

  /** Changes how a backend is administered, and fulfils once workers are told. Rejects with an UnknownName. */
  patchBackend(name: BackendName, patch: BackendPatch, mark: Mark): Promise<void> {
    return this.#administer(() => this.#administration.patch(name, patch, mark));
  }

  /** Goes back to the configuration for one backend, or for all. Rejects with an UnknownName. */
  resetBackends(name?: BackendName): Promise<void> {
    return this.#administer(() => this.#administration.reset(name));
  }

  #enter(phase: Phase): void {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#phaseSinceMs = Date.now();
  }

  /** Is draining from now on, for all to see, and goes on accepting until `drain`. Its configuration stays. */
  announceDrain(): void {
    this.#enter('draining');
  }

  /** Stops accepting and lets sessions finish, for at most `graceMs`; then cuts the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#enter('draining');
    this.#hasClosed = true;
    this.#ending.abort();
    await this.#afterOthers(async () => {
      const before = this.bound();
      await this.#bindings.close();
      this.#logBound(before);
    });
    await this.#groups.drain(monotonicMs() + graceMs);
  }

  /** Ends everything, open sessions included. */
  async stop(): Promise<void> {
    this.#enter('draining');
    this.#hasClosed = true;
    this.#hasStopped = true;
    clearInterval(this.#rotation);
    this.certificates.close();
    this.#operations.close();
    this.#ending.abort();
    this.#health.close();
    this.#descriptorWatch.close();
    this.sessions.close();
    this.#discovery.close();
    await this.#groups.stop();
  }

  /** All that can fail comes first, and is undone where something does. */
  async #commit(config: Config): Promise<void> {
    if (this.#phase === 'draining') throw new Error('Expected a running proxy, but it is stopping');
    const before = this.#plan;
    const boundBefore = this.bound();
    const planned = this.#planNow(config);
    const { plan } = planned;
    // Sockets come to life one by one: what is accepted meanwhile finds its listener in either plan.
    this.#groups.follow(before, plan);
    let prepared: Awaited<ReturnType<Bindings['prepare']>>;
    try {
      prepared = await this.#bindings.prepare(config.listeners, ({ name }) => this.#ownerOf(plan, name));
    } catch (error) {
      this.#groups.follow(this.#planNow(this.#config).plan);
      throw error;
    }
    // Clients that wait where a listener is closed are served as before; after that its workers forget it.
    this.#adopt(planned, before);
    await this.#operations.keep();
    await prepared.commit();
    this.#groups.follow(plan);
    this.#logBound(boundBefore);
  }

  #logBound(before: ReadonlyMap<string, readonly string[]>): void {
    if (!this.#hasStopped) logBound(this.#logger, before, this.bound());
  }

  #ownerOf(plan: Plan, name: string): Pick<Binding, 'listener' | 'driver'> {
    const listener = plan.listeners.find((one) => one.name === name);
    if (listener === undefined) throw new Error(`The plan has no listener ${name}`);
    return { listener: listener.slot, driver: this.#groups.driverOf(listener, plan) };
  }

  #planNow(config: Config): Planned {
    const configured = expand(config, (target) => this.#discovery.addressesOf(target));
    const { pools, commit } = this.#administration.over(configured, Date.now());
    return { config, plan: this.#planner.plan(config, pools), commit };
  }

  #adopt({ config, plan, commit }: Planned, before: Plan = plan): void {
    this.#config = config;
    this.#leaving.follow(this.#plan.listeners, plan.listeners, (one) => this.driverOf(one));
    this.#noteStates(this.#plan, plan);
    this.#plan = plan;
    this.certificates.follow(config, plan);
    this.#operations.changed(commit());
    this.#health.follow(config, plan);
    for (const { policy, backends } of plan.pools) {
      // A breaker that was turned off would be shown as it was left.
      if (policy.circuitBreaker === 'off') for (const { slot } of backends) this.ledger.closeCircuit(slot);
    }
    this.#poolWatch.follow(plan);
    this.#groups.follow(plan, before);
    this.#groups.tell({ kind: 'log', log: config.log });
  }

  #nameChanged(name: string, change: NameChange): void {
    this.#afterOthers(async () => {
      if (this.#hasClosed) return;
      this.#adopt(this.#planNow(this.#config));
      const fields = { name, pools: poolsWith(name, this.#config.pools), ...change };
      this.#logger.info(fields, 'name resolves to other addresses');
    }).catch((err: unknown) =>
      this.#logger.error({ err, name }, 'other addresses of a name were not taken over'),
    );
  }

  #administer(change: () => void): Promise<void> {
    return this.#afterOthers(async () => {
      if (this.#hasClosed) throw new Error('Expected a running proxy, but it is stopping');
      change();
      this.#adopt(this.#planNow(this.#config));
      await this.#operations.keep();
    });
  }

  /** Since when the plan has each of its backends, and since when it is wanted as it is. */
  #noteStates(before: Plan, after: Plan): void {
    const stateBefore = new Map(backendsOf(before).map(({ slot, state }) => [slot, state]));
    const nowMs = monotonicMs();
    for (const { pool, slot, name: backend, state } of backendsOf(after)) {
      const old = stateBefore.get(slot);
      if (old === state) continue;
      this.ledger.stateSinceMs[slot] = nowMs;
      if (old === undefined) this.ledger.plannedMs[slot] = nowMs;
      else this.#events.tell('state', { pool, backend, state });
    }
  }

  #afterOthers<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change);
    // The caller hears of a failure; the next change only waits.
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }
}

function thisMoment(): Moment {
  return { monotonicMs: monotonicMs(), wallClockMs: Date.now() };
}

/** Those that several configurations have, where one takes the place of the other. */
function namesByPool(...configs: readonly Config[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const pool of configs.flatMap(({ pools }) => pools))
    names.set(pool.name, [...new Set([...(names.get(pool.name) ?? []), ...namesIn(pool)])]);
  return names;
}

function backendsOf({ pools }: Plan): readonly (BackendPlan & { readonly pool: string })[] {
  return pools.flatMap(({ name: pool, backends }) => backends.map((one) => ({ ...one, pool })));
}

interface Planned {
  readonly config: Config;
  readonly plan: Plan;
  /** Takes over what is administered; gives the overrides that the configuration has overtaken. */
  commit(): readonly Override[];
}

/** The key before is good still, far longer than the five minutes for which sessions can be resumed. */
const ticketKeyLifeMs = 24 * 60 * 60 * 1_000;

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
  await Promise.race([wait, aborted]);
  over.abort();
}

function targetsOf(config: Config): readonly Target[] {
  return config.pools.flatMap(({ backends }) => backends.map(({ target }) => target));
}
