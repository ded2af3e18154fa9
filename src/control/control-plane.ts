/** The running proxy: puts its parts together, and takes it from its start to its end. */
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { defaultCapacity, Ledger, type LedgerCapacity } from '../core/ledger/ledger.ts';
import type { Plan, PoolSlot } from '../core/plan.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import type { WorkerNews } from '../dataplane/messages.ts';
import { descriptorUse } from '../drivers/descriptors.ts';
import type { DriverModule } from '../drivers/driver.ts';
import { driverModules } from '../drivers/drivers.ts';
import { TicketKeys } from '../drivers/ticket-keys.ts';
import type { Events } from '../telemetry/events.ts';
import type { Observations } from '../telemetry/observations.ts';
import { Administration } from './administration.ts';
import { AgentReports } from './agent/agent-reports.ts';
import { AgentWatch } from './agent/agent-watch.ts';
import { Bindings } from './bindings.ts';
import { Certificates } from './certificates.ts';
import { Changeover } from './changeover.ts';
import { DescriptorWatch } from './descriptor-watch.ts';
import { Discovery, poolsWith } from './discovery/discovery.ts';
import { FullListeners } from './full-listeners.ts';
import { HealthWatch } from './health/health.ts';
import { KeptOverrides } from './kept-overrides.ts';
import { Lifecycle } from './lifecycle.ts';
import { OperatorCommands } from './operator-commands.ts';
import { PoolWatch } from './pool-watch.ts';
import { ProxyView } from './proxy-view.ts';
import { Reporter } from './reporter.ts';
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
  readonly operator: OperatorCommands;
  readonly #lifecycle = new Lifecycle();
  readonly #groups: WorkerGroups;
  readonly #discovery: Discovery;
  readonly #keptOverrides: KeptOverrides;
  readonly #certificates: Certificates;
  readonly #health: HealthWatch;
  readonly #agents: AgentWatch;
  readonly #descriptorWatch: DescriptorWatch;
  readonly #fullListeners: FullListeners;
  readonly #runningPlan: RunningPlan;
  readonly #ticketKeys = new TicketKeys();
  readonly #rotation: NodeJS.Timeout;
  readonly #changeover: Changeover;

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
    const poolSlot = (name: string): PoolSlot | undefined =>
      plan().pools.find((one) => one.name === name)?.slot;
    const reporter = new Reporter({ logger, observations, events, poolWatch, plan });
    const administer = (change: () => void): Promise<void> => this.#changeover.administer(change);
    const problem = (text: string): void => logger.error(text);
    const administration = new Administration();
    this.ledger = ledger;
    this.#keptOverrides = new KeptOverrides({
      administration,
      stateFile: config.admin === 'off' ? undefined : config.admin.state,
      logger,
      administer,
      queued: (name) => {
        const slot = poolSlot(name);
        return slot === undefined ? 0 : ledger.poolQueued.total(slot);
      },
      refuseWaiting: (name) => {
        const pool = poolSlot(name);
        if (pool !== undefined) this.#groups.broadcast({ kind: 'refuse-waiting', pool });
      },
    });
    const news = (found: WorkerNews): void => {
      switch (found.kind) {
        case 'log-lines':
          return logLines(found.lines);
        case 'out-of-descriptors':
          return this.#descriptorWatch.missing();
        case 'listener-full':
          return this.#fullListeners.refused(found.listener);
        case 'circuit':
          return reporter.circuitChanged(found);
        case 'dial-failed':
          return reporter.dialFailed(found);
      }
    };
    this.#groups = new WorkerGroups({
      driver,
      sizes,
      ledgerBuffer,
      capacity,
      ledger,
      bufferBytes: bufferLimitBytes,
      log: config.log,
      ticketKeys: this.#ticketKeys.memory,
      news,
      workerDied: (worker, error) => reporter.workerDied(worker, error),
      workerReplaced: () => reporter.workerReplaced(),
      problem,
      secondGroupStarted: ({ name }) =>
        reporter.secondGroupStarted(name, workerCount(config.workers, driverModules.portable, logger)),
    });
    this.#certificates = new Certificates(ledger, logger, events);
    this.sessions = new Sessions(() => this.#groups.threads);
    this.#rotation = setInterval(() => this.#ticketKeys.rotate(), ticketKeyLifeMs).unref();
    this.#discovery = new Discovery({
      resolver: config.resolver,
      onChange: (name, change) => this.#changeover.toAddresses(name, change),
      onLookup: (name, trouble) => reporter.lookedUp(name, trouble),
      onProblem: (name, state) =>
        reporter.nameState(name, poolsWith(name, this.#changeover.named.pools), state),
    });
    this.#descriptorWatch = new DescriptorWatch(logger, descriptorUse);
    this.#fullListeners = new FullListeners(logger, (name, most) => this.view.busiestClients(name, most));
    this.#health = new HealthWatch(ledger, {
      now: monotonicMs,
      onResult: (target, pass, detail, tookMs) => reporter.checked(target, pass, detail, tookMs),
      onChecksBlocked: (target, detail) => reporter.checksBlocked(target, detail),
      onChecksResumed: () => reporter.checksResumed(),
      onTransition: (target, health, detail) => {
        this.#groups.broadcast({ kind: 'health-changed', backend: target.slot, health });
        reporter.healthChanged(target, health, detail);
      },
    });
    this.#agents = new AgentWatch(
      new AgentReports({ administration, health: this.#health, reporter, administer }),
    );
    const shared = {
      ledger,
      administration,
      reporter,
      groups: this.#groups,
      certificates: this.#certificates,
    };
    this.#runningPlan = new RunningPlan(config, {
      ...shared,
      discovery: this.#discovery,
      events,
      keptOverrides: this.#keptOverrides,
      health: this.#health,
      agents: this.#agents,
      poolWatch,
    });
    const running = { ...shared, lifecycle: this.#lifecycle, runningPlan: this.#runningPlan };
    this.#changeover = new Changeover({
      ...running,
      bindings: new Bindings(this.#groups, problem),
      discovery: this.#discovery,
      keptOverrides: this.#keptOverrides,
      observations,
    });
    this.operator = new OperatorCommands({ ...running, changeover: this.#changeover });
    this.view = new ProxyView({ ...running, bufferLimitBytes });
  }

  get config(): Config {
    return this.#runningPlan.config;
  }

  /** Resolves names, binds listeners and serves. Throws a BindError, or a RangeError where there is too much. */
  async start(): Promise<void> {
    this.#keptOverrides.restore();
    await this.apply(this.config);
    this.#lifecycle.serve();
  }

  /**
   * Changes over to another configuration. Throws as `start` does, and then all is as before. `freeAddresses` is called
   * before anything is bound.
   */
  apply(config: Config, freeAddresses?: () => void): Promise<void> {
    return this.#changeover.toConfig(config, freeAddresses);
  }

  /** Is draining from now on, for all to see, and goes on accepting until `drain`. Its configuration stays. */
  announceDrain(): void {
    this.#lifecycle.drain();
  }

  /** Stops accepting and lets sessions finish, for at most `graceMs`; then cuts the rest. */
  async drain(graceMs: number): Promise<void> {
    this.#lifecycle.close();
    await this.#changeover.stopAccepting();
    await this.#groups.drain(monotonicMs() + graceMs);
  }

  /** Ends everything, open sessions included. */
  async stop(): Promise<void> {
    this.#lifecycle.stop();
    clearInterval(this.#rotation);
    this.#certificates.close();
    this.#keptOverrides.close();
    this.#health.close();
    this.#agents.close();
    this.#descriptorWatch.close();
    this.#fullListeners.close();
    this.sessions.close();
    this.#discovery.close();
    await this.#groups.stop();
  }
}

/** The key before is good still, far longer than the five minutes for which sessions can be resumed. */
const ticketKeyLifeMs = 24 * 60 * 60 * 1_000;
