/**
 * The running proxy: groups of workers, and what keeps them informed (names, health, bindings). Every
 * change of configuration goes through `apply`, one at a time, and takes effect whole or not at all.
 */
import { once } from 'node:events';
import type { Logger } from 'pino';
import { formatAddress } from '../config/addresses.ts';
import type { Config, Target } from '../config/config.ts';
import type { Address, ListenerSlot } from '../core/contract.ts';
import { explain } from '../core/explain/explain.ts';
import type { Explanation, Inquiry } from '../core/explain/explanation.ts';
import { defaultCapacity, Ledger, type LedgerCapacity } from '../core/ledger/ledger.ts';
import type { ListenerPlan, Plan } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';
import { TicketKeys } from '../drivers/ticket-keys.ts';
import { type Phase, type Snapshot, snapshot } from '../telemetry/snapshot.ts';
import { Bindings } from './bindings.ts';
import { Discovery } from './discovery/discovery.ts';
import { HealthWatch } from './health/health.ts';
import { Planner } from './planner.ts';
import type { Binding } from './workers/bound-addresses.ts';
import { bufferBytes, workerCount } from './workers/sizes.ts';
import { WorkerGroups } from './workers/worker-groups.ts';

export interface ControlPlaneDeps {
  readonly config: Config;
  readonly driver: DriverModule;
  readonly logger: Logger;
  /** Takes finished log lines of the workers. */
  logLines(lines: string): void;
  countHealthCheck(pool: string, backend: string, pass: boolean): void;
}

export class ControlPlane {
  readonly ledger: Ledger;
  readonly #logger: Logger;
  readonly #groups: WorkerGroups;
  readonly #bindings: Bindings;
  readonly #discovery: Discovery;
  readonly #planner: Planner;
  readonly #health: HealthWatch;
  readonly #ticketKeys = new TicketKeys();
  readonly #rotation: NodeJS.Timeout;
  #config: Config;
  #plan: Plan = { listeners: [], pools: [] };
  #phase: Phase = 'starting';
  /** Accepts no more. Draining, it may still accept for a while, and follows what names stand for. */
  #hasClosed = false;
  /** Changes under way wait for no names any more. */
  readonly #ending = new AbortController();
  /** Changes wait for each other: the end of the last one. */
  #lastChange: Promise<unknown> = Promise.resolve();

  constructor({ config, driver, logger, logLines, countHealthCheck }: ControlPlaneDeps) {
    const size = (module: DriverModule): number =>
      workerCount(config.workers, module, module === driver ? logger : undefined);
    const sizes = { uring: size(driverModules.uring), portable: size(driverModules.portable) };
    const capacity: LedgerCapacity = { ...defaultCapacity, workers: WorkerGroups.workers(driver, sizes) };
    const ledgerBuffer = new SharedArrayBuffer(Ledger.byteLength(capacity));
    this.#config = config;
    this.#logger = logger;
    this.ledger = new Ledger(ledgerBuffer, capacity, 'main');
    this.ledger.clients.seed(crypto.getRandomValues(new Int32Array(2)));
    this.#planner = new Planner(this.ledger);
    this.#groups = new WorkerGroups({
      driver,
      sizes,
      ledgerBuffer,
      capacity,
      ledger: this.ledger,
      bufferBytes: bufferBytes(config.memory),
      log: () => this.#config.log,
      ticketKeys: this.#ticketKeys.memory,
      logLines,
      workerDied: (worker, err) => logger.error({ worker, err }, 'worker died, starting another'),
      problem: (text) => logger.error(text),
      secondGroupStarted: ({ name }) => {
        const workers = workerCount(config.workers, driverModules.portable, logger);
        logger.info({ driver: name, workers }, 'workers of another driver started, for listeners with TLS');
      },
    });
    this.#bindings = new Bindings(this.#groups, (text) => logger.error(text));
    this.#rotation = setInterval(() => this.#ticketKeys.rotate(), ticketKeyLifeMs).unref();
    this.#discovery = new Discovery({
      resolver: config.resolver,
      onChange: (name) => this.#nameChanged(name),
      onProblem: (name, problem) =>
        problem === undefined
          ? logger.info({ name }, 'name resolves again')
          : logger.warn({ name, problem }, 'name does not resolve, the addresses it had are kept'),
    });
    this.#health = new HealthWatch(this.ledger, {
      now: monotonicMs,
      onResult: ({ pool, backend }, pass, detail) => {
        countHealthCheck(pool, backend, pass);
        logger.debug({ pool, backend, pass, detail }, 'health check');
      },
      onChecksBlocked: ({ pool, backend }, detail) =>
        logger.warn({ pool, backend, detail }, 'health checks cannot be made, the last verdicts stand'),
      onChecksResumed: () => logger.info('health checks are made again'),
      onTransition: ({ pool, backend, slot }, health, detail) => {
        this.#groups.tell({ kind: 'health-changed', backend: slot, health });
        if (health === 'up') logger.info({ pool, backend, detail }, 'backend up');
        else logger.warn({ pool, backend, detail }, 'backend down');
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

  /** Resolves names, binds listeners and serves. Throws a BindError, or a RangeError where there is too much. */
  async start(): Promise<void> {
    await this.apply(this.#config);
    if (this.#phase === 'starting') this.#phase = 'serving';
  }

  /**
   * Changes over to another configuration. Throws as `start` does, and then all is as before. `freeAddresses` is called before
   * anything is bound.
   */
  apply(config: Config, freeAddresses = (): void => {}): Promise<void> {
    return this.#afterOthers(async () => {
      await untilAborted(this.#discovery.resolve(targetsOf(config)), this.#ending.signal);
      try {
        freeAddresses();
        await this.#commit(config);
      } finally {
        // Names of a configuration that was refused are watched no longer.
        this.#discovery.retain(targetsOf(this.#config));
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

  /** The driver that serves a listener of the plan. */
  driverOf(listener: ListenerPlan): DriverModule['name'] {
    return this.#groups.driverOf(listener, this.#plan);
  }

  /** What there is to say of the plan's listeners, pools and backends now. */
  snapshot(): Snapshot {
    return snapshot(this, monotonicMs());
  }

  /** What would become of a client of one of the plan's listeners now. Changes nothing. */
  explain(inquiry: Inquiry): Explanation {
    return explain(this.#plan, this.ledger, inquiry, monotonicMs(), Math.random);
  }

  /** Is draining from now on, for all to see, and goes on accepting until `drain`. Its configuration stays. */
  announceDrain(): void {
    this.#phase = 'draining';
  }

  /** Stops accepting and lets sessions finish, for at most `graceMs`; then cuts the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#phase = 'draining';
    this.#hasClosed = true;
    this.#ending.abort();
    await this.#afterOthers(() => this.#bindings.close());
    await this.#groups.drain(monotonicMs() + graceMs);
  }

  /** Ends everything, open sessions included. */
  async stop(): Promise<void> {
    this.#phase = 'draining';
    this.#hasClosed = true;
    clearInterval(this.#rotation);
    this.#ending.abort();
    this.#health.close();
    this.#discovery.close();
    await this.#groups.stop();
  }

  /** All that can fail comes first, and is undone where something does. */
  async #commit(config: Config): Promise<void> {
    if (this.#phase === 'draining') throw new Error('Expected a running proxy, but it is stopping');
    const before = this.#plan;
    const plan = this.#planNow(config);
    // Sockets come to life one by one: what is accepted meanwhile finds its listener in either plan.
    this.#groups.follow(before, plan);
    let prepared: Awaited<ReturnType<Bindings['prepare']>>;
    try {
      prepared = await this.#bindings.prepare(config.listeners, ({ name }) => this.#ownerOf(plan, name));
    } catch (error) {
      this.#groups.follow(this.#planNow(this.#config));
      throw error;
    }
    // Clients that wait where a listener is closed are served as before; after that its workers forget it.
    this.#adopt(config, plan, before);
    await prepared.commit();
    this.#groups.follow(plan);
  }

  #ownerOf(plan: Plan, name: string): Pick<Binding, 'listener' | 'driver'> {
    const listener = plan.listeners.find((one) => one.name === name);
    if (listener === undefined) throw new Error(`The plan has no listener ${name}`);
    return { listener: listener.slot, driver: this.#groups.driverOf(listener, plan) };
  }

  #planNow(config: Config): Plan {
    return this.#planner.plan(config, (target) => this.#discovery.endpointsOf(target));
  }

  #adopt(config: Config, plan: Plan, before: Plan = plan): void {
    this.#config = config;
    this.#plan = plan;
    this.#health.follow(config, plan);
    for (const { policy, backends } of plan.pools) {
      // A breaker that was turned off would be shown as it was left.
      if (policy.circuitBreaker === 'off') for (const { slot } of backends) this.ledger.closeCircuit(slot);
    }
    this.#groups.follow(plan, before);
    this.#groups.tell({ kind: 'log', log: config.log });
  }

  #nameChanged(name: string): void {
    this.#afterOthers(async () => {
      if (this.#hasClosed) return;
      this.#adopt(this.#config, this.#planNow(this.#config));
      this.#logger.info({ name }, 'name resolves to other addresses');
    }).catch((err: unknown) =>
      this.#logger.error({ err, name }, 'other addresses of a name were not taken over'),
    );
  }

  #afterOthers<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#lastChange.then(change);
    // The caller hears of a failure; the next change only waits.
    this.#lastChange = turn.catch(() => undefined);
    return turn;
  }
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
