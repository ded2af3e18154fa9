/**
 * The running proxy: groups of workers, and what keeps them informed (names, health, bindings). Every
 * change of configuration goes through `apply`, one at a time, and takes effect whole or not at all.
 */
import { once } from 'node:events';
import type { Logger } from 'pino';
import type { Config, Target } from '../config/config.ts';
import type { Accept } from '../core/admin-state.ts';
import { defaultCapacity, Ledger, type LedgerCapacity } from '../core/ledger/ledger.ts';
import type { Plan, PoolSlot } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import { descriptorUse } from '../drivers/descriptors.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';
import { TicketKeys } from '../drivers/ticket-keys.ts';
import type { Events } from '../telemetry/events.ts';
import type { Observations } from '../telemetry/observations.ts';
import { Administration, type PoolPatch } from './administration.ts';
import type { AgentWords } from './agent/agent-line.ts';
import { type AgentTarget, AgentWatch } from './agent/agent-watch.ts';
import { type BindingOwner, Bindings } from './bindings.ts';
import { Certificates } from './certificates.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { Discovery, type NameChange, namesIn, poolsWith } from './discovery/discovery.ts';
import { Findings } from './findings.ts';
import { FullListeners } from './full-listeners.ts';
import { HealthWatch } from './health/health.ts';
import { Lifecycle } from './lifecycle.ts';
import { OneAtATime } from './one-at-a-time.ts';
import { Operations } from './operations.ts';
import type { BackendName, BackendPatch, Mark, Override } from './overrides.ts';
import { PoolWatch } from './pool-watch.ts';
import { ProxyView } from './proxy-view.ts';
import { RunningPlan } from './running-plan.ts';
import { Sessions } from './sessions.ts';
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
  /** The open sessions of all workers. */
  readonly sessions: Sessions;
  readonly view: ProxyView;
  readonly #observations: Observations;
  readonly #findings: Findings;
  readonly #lifecycle = new Lifecycle();
  readonly #groups: WorkerGroups;
  readonly #bindings: Bindings;
  readonly #discovery: Discovery;
  readonly #administration = new Administration();
  readonly #operations: Operations;
  readonly #certificates: Certificates;
  readonly #health: HealthWatch;
  readonly #agents: AgentWatch;
  /** Backends have said something of themselves that the plan does not have yet. */
  #isSourceNew = false;
  readonly #descriptorWatch: DescriptorWatch;
  readonly #fullListeners: FullListeners;
  readonly #runningPlan: RunningPlan;
  readonly #ticketKeys = new TicketKeys();
  readonly #rotation: NodeJS.Timeout;
  readonly #changes = new OneAtATime();
  /** Listeners that were not to accept clients when addresses were bound last. */
  #notAccepting: Administration['notAccepting'] = new Map();
  /** The one whose names are asked for. */
  #named: Config;

  constructor({ config, driver, logger, logLines, observations, events }: ControlPlaneDeps) {
    const size = (module: DriverModule): number =>
      workerCount(config.workers, module, module === driver ? logger : undefined);
    const sizes = { uring: size(driverModules.uring), portable: size(driverModules.portable) };
    const capacity: LedgerCapacity = { ...defaultCapacity, workers: WorkerGroups.workers(driver, sizes) };
    const ledgerBuffer = new SharedArrayBuffer(Ledger.byteLength(capacity));
    const ledger = new Ledger(ledgerBuffer, capacity, 'main');
    ledger.clients.seed(crypto.getRandomValues(new Int32Array(2)));
    const bufferLimitBytes = bufferBytes(config.memory);
    const poolWatch = new PoolWatch(ledger, logger, monotonicMs);
    const plan = (): Plan => this.#runningPlan.plan;
    const findings = new Findings({ logger, observations, events, poolWatch, plan });
    const problem = (text: string): void => logger.error(text);
    const administration = this.#administration;
    this.ledger = ledger;
    this.#observations = observations;
    this.#findings = findings;
    this.#named = config;
    this.#operations = new Operations({
      administration,
      stateFile: config.admin === 'off' ? undefined : config.admin.state,
      logger,
      administer: (change) => this.#administer(change),
      queued: (name) => {
        const slot = this.#poolSlot(name);
        return slot === undefined ? 0 : ledger.poolQueued.total(slot);
      },
      refuseWaiting: (name) => {
        const pool = this.#poolSlot(name);
        if (pool !== undefined) this.#groups.tell({ kind: 'refuse-waiting', pool });
      },
    });
    this.#groups = new WorkerGroups({
      driver,
      sizes,
      ledgerBuffer,
      capacity,
      ledger,
      bufferBytes: bufferLimitBytes,
      log: config.log,
      ticketKeys: this.#ticketKeys.memory,
      logLines,
      outOfDescriptors: () => this.#descriptorWatch.missing(),
      listenerFull: (listener) => this.#fullListeners.refused(listener),
      circuitChanged: (incident) => findings.circuitChanged(incident),
      dialFailed: (fault) => findings.dialFailed(fault),
      workerDied: (worker, error) => findings.workerDied(worker, error),
      workerReplaced: () => findings.workerReplaced(),
      problem,
      secondGroupStarted: ({ name }) =>
        findings.secondGroupStarted(name, workerCount(config.workers, driverModules.portable, logger)),
    });
    this.#certificates = new Certificates(ledger, logger, events);
    this.sessions = new Sessions(() => this.#groups.threads);
    this.#bindings = new Bindings(this.#groups, problem);
    this.#rotation = setInterval(() => this.#ticketKeys.rotate(), ticketKeyLifeMs).unref();
    this.#discovery = new Discovery({
      resolver: config.resolver,
      onChange: (name, change) => this.#nameChanged(name, change),
      onLookup: (name, trouble) => findings.lookedUp(name, trouble),
      onProblem: (name, state) => findings.nameState(name, poolsWith(name, this.#named.pools), state),
    });
    this.#descriptorWatch = new DescriptorWatch(logger, descriptorUse);
    this.#fullListeners = new FullListeners(logger, (name, most) => this.view.busiestClients(name, most));
    this.#health = new HealthWatch(ledger, {
      now: monotonicMs,
      onResult: (target, pass, detail, tookMs) => findings.checked(target, pass, detail, tookMs),
      onChecksBlocked: (target, detail) => findings.checksBlocked(target, detail),
      onChecksResumed: () => findings.checksResumed(),
      onTransition: (target, health, detail) => {
        this.#groups.tell({ kind: 'health-changed', backend: target.slot, health });
        findings.healthChanged(target, health, detail);
      },
    });
    this.#agents = new AgentWatch({
      onAnswer: (target, words, line) => this.#agentAnswered(target, words, line),
      onSilence: (target, problem) => findings.agentAsked(target, undefined, problem),
      onEnd: (target) => {
        administration.forgetSource(target);
        this.#health.forgetAgent(target.slot);
        this.#followSources();
      },
      isInMaintenance: (name) => administration.layersOf(name)?.operator === 'maint',
    });
    const shared = { ledger, administration, groups: this.#groups, certificates: this.#certificates };
    this.#runningPlan = new RunningPlan(config, {
      ...shared,
      discovery: this.#discovery,
      events,
      findings,
      operations: this.#operations,
      health: this.#health,
      agents: this.#agents,
      poolWatch,
    });
    this.view = new ProxyView({
      ...shared,
      lifecycle: this.#lifecycle,
      runningPlan: this.#runningPlan,
      bufferLimitBytes,
    });
  }

  get config(): Config {
    return this.#runningPlan.config;
  }

  /** Resolves names, binds listeners and serves. Throws a BindError, or a RangeError where there is too much. */
  async start(): Promise<void> {
    this.#operations.restore();
    await this.apply(this.config);
    this.#lifecycle.serve();
  }

  /**
   * Changes over to another configuration. Throws as `start` does, and then all is as before. `freeAddresses` is called before
   * anything is bound.
   */
  apply(config: Config, freeAddresses = (): void => {}): Promise<void> {
    return this.#changes.run(async () => {
      this.#named = config;
      this.#observations.names.follow(namesByPool(this.config, config));
      await untilAborted(this.#discovery.resolve(targetsOf(config)), this.#lifecycle.closed);
      try {
        freeAddresses();
        await this.#changeOver(config);
      } finally {
        // Names of a configuration that was refused are watched no longer.
        this.#named = this.config;
        this.#discovery.retain(targetsOf(this.config));
        this.#observations.names.follow(namesByPool(this.config));
      }
    });
  }

  /** All that can fail comes first, and is undone where something does. */
  async #changeOver(config: Config): Promise<void> {
    if (this.#lifecycle.phase === 'draining') throw new Error(stopping);
    const before = this.#runningPlan.plan;
    const boundBefore = this.view.bound();
    const prepared = this.#runningPlan.prepare(config);
    const { plan } = prepared;
    // Sockets come to life one by one: what is accepted meanwhile finds its listener in either plan.
    this.#groups.follow(before, plan);
    let binding: Awaited<ReturnType<Bindings['prepare']>>;
    try {
      binding = await this.#bind(config, plan);
    } catch (error) {
      this.#groups.follow(this.#runningPlan.prepare().plan);
      throw error;
    }
    // Clients that wait where a listener is closed are served as before; after that its workers forget it.
    this.#runningPlan.adopt(prepared, before);
    await this.#operations.keep();
    await binding.commit();
    this.#groups.follow(plan);
    if (!this.#lifecycle.hasStopped) this.#findings.bound(boundBefore, this.view.bound());
    this.#tellAccepting();
  }

  /** All addresses but those of listeners that an operator has turned off. */
  #bind({ listeners }: Config, plan: Plan): ReturnType<Bindings['prepare']> {
    const wanted = listeners.filter(({ name }) => this.#administration.acceptOf(name) !== 'off');
    return this.#bindings.prepare(wanted, ({ name }) => this.#ownerOf(plan, name));
  }

  #ownerOf(plan: Plan, name: string): BindingOwner {
    const listener = plan.listeners.find((one) => one.name === name);
    if (listener === undefined) throw new Error(`The plan has no listener ${name}`);
    const isPaused = this.#administration.acceptOf(name) === 'paused';
    return { listener: listener.slot, driver: this.#groups.driverOf(listener, plan), isPaused };
  }

  #nameChanged(name: string, change: NameChange): void {
    this.#changes
      .run(async () => {
        if (this.#lifecycle.closed.aborted) return;
        this.#runningPlan.adopt(this.#runningPlan.prepare());
        this.#findings.nameChanged(name, poolsWith(name, this.config.pools), change);
      })
      .catch((error: unknown) => this.#findings.nameNotTakenOver(name, error));
  }

  /**
   * Changes how a backend is administered, and fulfils once workers are told. Rejects with an UnknownName, or a
   * StaleRevision where its revision is another.
   */
  patchBackend(name: BackendName, patch: BackendPatch, mark: Mark, revision?: string): Promise<void> {
    return this.#administer(() => this.#administration.patch(name, patch, mark, revision));
  }

  /** As `patchBackend`, of a pool. */
  patchPool(name: string, patch: PoolPatch, mark: Mark, revision?: string): Promise<void> {
    return this.#administer(() => this.#administration.patchPool(name, patch, mark, revision));
  }

  /** As `patchBackend`, of a listener. Rejects with a BindError where it can't listen; then nothing has changed. */
  patchListener(name: string, accept: Accept | null, mark: Mark, revision?: string): Promise<void> {
    let before: readonly Override[] = [];
    return this.#administer(
      () => {
        before = this.#administration.overrides;
        this.#administration.patchListener(name, accept, mark, revision);
      },
      () => this.#administration.restore(before),
    );
  }

  /** Goes back to the configuration for one backend, or for everything. Rejects with an UnknownName. */
  resetOverrides(name: BackendName | undefined, mark: Mark): Promise<void> {
    return this.#administer(() => this.#administration.reset(name, mark));
  }

  #poolSlot(name: string): PoolSlot | undefined {
    return this.#runningPlan.plan.pools.find((one) => one.name === name)?.slot;
  }

  #agentAnswered(target: AgentTarget, words: AgentWords, line: string): void {
    const { state, weight, maxConnections, health, unknown } = words;
    const problem = unknown === undefined ? undefined : `${JSON.stringify(unknown)} means nothing`;
    this.#findings.agentAsked(target, line, problem);
    const wish = {
      ...(state && { state }),
      ...(weight !== undefined && { weight }),
      ...(maxConnections !== undefined && { maxConnections }),
    };
    if (this.#administration.sourceSays(target, wish)) this.#followSources();
    if (health !== undefined)
      this.#health.agentSays(target, health === 'up' ? 'up' : 'down', `Agent: ${line.trim()}`);
  }

  /** Many agents may say something at once: one plan has it all. */
  #followSources(): void {
    if (this.#isSourceNew) return;
    this.#isSourceNew = true;
    const follow = (): void => {
      this.#isSourceNew = false;
    };
    this.#administer(follow).catch(() => undefined);
  }

  /** `undo` takes the change back where a listener can't be bound; without it, that is told, and the change stays. */
  #administer(change: () => void, undo?: () => void): Promise<void> {
    return this.#changes.run(async () => {
      // Draining, there may be clients still that an operator holds.
      if (this.#lifecycle.hasStopped) throw new Error(stopping);
      change();
      this.#runningPlan.adopt(this.#runningPlan.prepare());
      try {
        await this.#bindAnew();
      } catch (error) {
        if (undo === undefined) this.#findings.notBound(error);
        else {
          undo();
          this.#runningPlan.adopt(this.#runningPlan.prepare());
          throw error;
        }
      }
      await this.#operations.keep();
    });
  }

  /** Where operators want other listeners to accept than did, or others could not be bound. */
  async #bindAnew(): Promise<void> {
    const isBound = isSameAccepting(this.#notAccepting, this.#administration.notAccepting);
    if (isBound || this.#lifecycle.closed.aborted) return;
    const before = this.view.bound();
    const binding = await this.#bind(this.config, this.#runningPlan.plan);
    await binding.commit();
    this.#findings.bound(before, this.view.bound());
    this.#tellAccepting();
  }

  #tellAccepting(): void {
    const { notAccepting } = this.#administration;
    for (const [listener, override] of notAccepting)
      if (this.#notAccepting.get(listener)?.value !== override.value)
        this.#findings.acceptChanged(listener, override);
    for (const listener of this.#notAccepting.keys())
      if (!notAccepting.has(listener)) this.#findings.acceptChanged(listener, undefined);
    this.#notAccepting = notAccepting;
  }

  /** Opens or closes a breaker by hand; false where the pool has none. Throws an UnknownName. */
  setCircuit(name: BackendName, to: 'closed' | 'open', openForMs: number): boolean {
    const { pool, backend } = this.#administration.backend(name);
    const plan = this.#runningPlan.plan.pools.find((one) => one.name === pool);
    const slot = plan?.backends.find((one) => one.name === backend)?.slot;
    if (plan === undefined || slot === undefined || plan.policy.circuitBreaker === 'off') return false;
    const nowMs = monotonicMs();
    if (to === 'closed') this.ledger.closeCircuit(slot);
    else this.ledger.openCircuit(slot, nowMs, nowMs + openForMs);
    this.#groups.tell({ kind: 'woken' });
    this.#findings.circuitSet({ pool, backend }, to);
    return true;
  }

  /** Is draining from now on, for all to see, and goes on accepting until `drain`. Its configuration stays. */
  announceDrain(): void {
    this.#lifecycle.drain();
  }

  /** Stops accepting and lets sessions finish, for at most `graceMs`; then cuts the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#lifecycle.close();
    await this.#changes.run(async () => {
      const before = this.view.bound();
      await this.#bindings.close();
      if (!this.#lifecycle.hasStopped) this.#findings.bound(before, this.view.bound());
    });
    await this.#groups.drain(monotonicMs() + graceMs);
  }

  /** Ends everything, open sessions included. */
  async stop(): Promise<void> {
    this.#lifecycle.stop();
    clearInterval(this.#rotation);
    this.#certificates.close();
    this.#operations.close();
    this.#health.close();
    this.#agents.close();
    this.#descriptorWatch.close();
    this.#fullListeners.close();
    this.sessions.close();
    this.#discovery.close();
    await this.#groups.stop();
  }
}

function isSameAccepting(
  one: Administration['notAccepting'],
  other: Administration['notAccepting'],
): boolean {
  return one.size === other.size && [...one].every(([name, { value }]) => other.get(name)?.value === value);
}

const stopping = 'Expected a running proxy, but it is stopping';

/** The key before is good still, far longer than the five minutes for which sessions can be resumed. */
const ticketKeyLifeMs = 24 * 60 * 60 * 1_000;

/** Those that several configurations have, where one takes the place of the other. */
function namesByPool(...configs: readonly Config[]): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, readonly string[]>();
  for (const pool of configs.flatMap(({ pools }) => pools))
    names.set(pool.name, [...new Set([...(names.get(pool.name) ?? []), ...namesIn(pool)])]);
  return names;
}

function targetsOf(config: Config): readonly Target[] {
  return config.pools.flatMap(({ backends }) => backends.map(({ target }) => target));
}

async function untilAborted(wait: Promise<void>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = new AbortController();
  const aborted = once(signal, 'abort', { signal: over.signal }).catch(() => undefined);
  await Promise.race([wait, aborted]);
  over.abort();
}
