/** Reports what workers, checks and lookups of names have found, to the log, the observations and the events. */
import type { Logger } from 'pino';
import type { Health } from '../core/ledger/ledger.ts';
import type { Plan } from '../core/plan.ts';
import type { CircuitIncident } from '../core/reports.ts';
import type { ToldDial } from '../dataplane/messages.ts';
import { whyNotOpenSsl } from '../drivers/tls/openssl/probe.ts';
import type { Events } from '../telemetry/events.ts';
import type { Observations } from '../telemetry/observations.ts';
import type { HoldState } from './administered.ts';
import type { NameChange, NameState } from './discovery/discovery.ts';
import type { BackendName, ListenerOverride } from './overrides.ts';
import type { PoolWatch } from './pool-watch.ts';

export interface ReporterDeps {
  readonly logger: Logger;
  readonly observations: Observations;
  readonly events: Events;
  readonly poolWatch: PoolWatch;
  plan(): Plan;
}

/** Where each listener is bound, by name. */
type Bound = ReadonlyMap<string, readonly string[]>;

export class Reporter {
  readonly #deps: ReporterDeps;

  constructor(deps: ReporterDeps) {
    this.#deps = deps;
  }

  // What workers find.

  circuitChanged({ pool, backend, change }: CircuitIncident): void {
    const { observations, plan } = this.#deps;
    const detail = change.to === 'open' ? change.lastError : undefined;
    if (detail !== undefined)
      observations.circuitOpened(pool, backend, { atMs: Date.now(), error: detail }, plan());
    this.#circuit({ pool, backend }, change.to, detail, detail ?? `circuit ${change.to}`);
  }

  dialFailed({ pool, backend, error }: ToldDial): void {
    const { observations, plan } = this.#deps;
    observations.dialFailed(pool, backend, { atMs: Date.now(), error }, plan());
  }

  circuitSet(name: BackendName, to: 'closed' | 'open'): void {
    this.#circuit(name, to, 'by an operator', `circuit ${to} by an operator`);
  }

  #circuit(
    { pool, backend }: BackendName,
    circuit: CircuitIncident['change']['to'],
    detail: string | undefined,
    cause: string,
  ): void {
    this.#deps.events.publish('circuit', { pool, backend, circuit, detail });
    this.#deps.poolWatch.changed(pool, { backend, detail: cause });
  }

  workerDied(worker: number, err: Error): void {
    this.#deps.logger.error({ worker, err }, 'worker died, starting another');
  }

  workerReplaced(): void {
    this.#deps.observations.workerRestarts++;
  }

  secondGroupStarted(driver: string, workers: number): void {
    const fields = { driver, workers, why: whyNotOpenSsl() };
    this.#deps.logger.info(fields, 'workers of another driver started, for listeners with TLS');
  }

  // What operators want of listeners.

  /** Undefined where it accepts clients again. */
  acceptChanged(listener: string, override: ListenerOverride | undefined): void {
    const { value = 'on', by, reason } = override ?? {};
    this.#deps.logger.info({ listener, by, reason }, acceptLines[value]);
    const event = { listener, state: value, by, reason };
    this.#deps.events.publish('state', event);
  }

  /** Its address may be in use meanwhile. */
  notBound(err: unknown): void {
    this.#deps.logger.error({ err }, 'listeners are not bound as they are wanted');
  }

  // What becomes of pools that operators hold.

  poolHeld(pool: string, { then, sessions, untilMs, by, reason }: HoldState): void {
    const until = untilMs === undefined ? undefined : new Date(untilMs).toISOString();
    this.#hold(pool, 'held', 'pool held', { until, then, sessions, by, reason });
  }

  /** `waiting` clients have waited; `release` is undefined where they were refused. */
  poolReleased(pool: string, waiting: number, release: HoldState | undefined): void {
    if (release === undefined)
      return this.#hold(pool, 'refused', 'hold is over, clients that waited are refused');
    const { ratePerSecond, by, reason } = release;
    const rate = ratePerSecond === Number.POSITIVE_INFINITY ? undefined : ratePerSecond;
    this.#hold(pool, 'released', 'pool released', { waiting, rate, by, reason });
  }

  #hold(pool: string, hold: 'held' | 'released' | 'refused', message: string, more: object = {}): void {
    this.#deps.logger[hold === 'refused' ? 'warn' : 'info']({ pool, ...more }, message);
    this.#deps.events.publish('hold', { pool, hold, ...more });
  }

  // What agents say.

  /** `problem` is a sentence; without an answer, it says why there is none. */
  agentAsked({ pool, backend }: BackendName, answer: string | undefined, problem: string | undefined): void {
    const { observations, logger, plan } = this.#deps;
    const before = observations.backend(pool, backend).lastAgent;
    observations.agentAsked(pool, backend, { atMs: Date.now(), answer, problem }, plan());
    if (answer !== undefined && answer !== before?.answer)
      logger.info({ pool, backend, answer, problem }, 'agent says something else');
    else if (problem !== undefined && problem !== before?.problem)
      logger.warn({ pool, backend, problem }, 'agent does not answer');
  }

  // What checks find.

  checked({ pool, backend }: BackendName, pass: boolean, detail: string, tookMs: number): void {
    const { observations, logger, plan } = this.#deps;
    observations.checked(pool, backend, { atMs: Date.now(), pass, detail, tookMs }, plan());
    logger.debug({ pool, backend, pass, detail }, 'health check');
  }

  checksBlocked({ pool, backend }: BackendName, detail: string): void {
    const fields = { pool, backend, detail };
    this.#deps.logger.warn(fields, 'health checks cannot be made, the last verdicts stand');
  }

  checksResumed(): void {
    this.#deps.logger.info('health checks are made again');
  }

  healthChanged({ pool, backend }: BackendName, health: Health, detail: string): void {
    const { logger, events, poolWatch } = this.#deps;
    events.publish('health', { pool, backend, health, detail });
    if (health === 'up') logger.info({ pool, backend, detail }, 'backend up');
    else logger.warn({ pool, backend, detail }, 'backend down');
    poolWatch.changed(pool, { backend, detail });
  }

  // What names stand for.

  lookedUp(name: string, problem: string | undefined): void {
    this.#deps.observations.names.lookedUp(name, problem, Date.now());
  }

  nameState(name: string, pools: readonly string[], { problem, isPartial, addresses }: NameState): void {
    const { logger } = this.#deps;
    const fields = { name, pools, problem, addresses };
    if (problem === undefined) logger.info(fields, 'name resolves again');
    else if (isPartial) logger.warn(fields, 'name resolves in part');
    else if (addresses.length === 0) logger.warn(fields, 'name does not resolve');
    else logger.warn(fields, 'name does not resolve, the addresses it had are kept');
  }

  nameChanged(name: string, pools: readonly string[], change: NameChange): void {
    this.#deps.logger.info({ name, pools, ...change }, 'name resolves to other addresses');
  }

  nameNotTakenOver(name: string, err: unknown): void {
    this.#deps.logger.error({ err, name }, 'other addresses of a name were not taken over');
  }

  // Where listeners are bound.

  /** Where they accept no more, and where they do from now on. */
  bound(before: Bound, after: Bound): void {
    const { logger } = this.#deps;
    for (const [listener, bind] of missing(before, after)) logger.info({ listener, bind }, 'closed');
    for (const [listener, bind] of missing(after, before)) logger.info({ listener, bind }, 'listening');
  }
}

const acceptLines = {
  on: 'listener accepts clients again',
  paused: 'listener paused, clients wait to be accepted',
  off: 'listener turned off',
};

/** The addresses of each listener that are not in `other`. */
function missing(
  bound: Bound,
  other: Bound,
): readonly (readonly [listener: string, bind: readonly string[]])[] {
  return [...bound]
    .map(([listener, all]) => [listener, all.filter((one) => !other.get(listener)?.includes(one))] as const)
    .filter(([, bind]) => bind.length > 0);
}
