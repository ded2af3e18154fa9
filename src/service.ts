/**
 * The whole of sluice in one scroll: a proxy, its log, its metrics and its admin API, from a configuration
 * that can be read again.
 */

import { setTimeout } from 'node:timers/promises';
import { Admin } from './admin/admin.ts';
import type { AdminSource, ReloadError, ReloadResult } from './admin/api/route.ts';
import { formatAddress } from './config/addresses.ts';
import { changesBetween } from './config/changes.ts';
import type { Config } from './config/config.ts';
import type { Issue } from './config/issues.ts';
import { type ConfigOrigin, type LoadResult, originOf } from './config/load.ts';
import { BindError } from './control/bind-error.ts';
import { ControlPlane } from './control/control-plane.ts';
import { OneAtATime } from './control/one-at-a-time.ts';
import { pendingRestart } from './control/pending-restart.ts';
import { bufferBytes, workerCount } from './control/workers/sizes.ts';
import { descriptorLimit } from './drivers/descriptors.ts';
import type { DriverModule } from './drivers/driver.ts';
import { chooseDriver } from './drivers/drivers.ts';
import { Events } from './telemetry/events.ts';
import { History } from './telemetry/history.ts';
import { unsentSinceMs } from './telemetry/line-order.ts';
import type { Log, LogMove } from './telemetry/log.ts';
import { Metrics } from './telemetry/metrics.ts';
import { Observations } from './telemetry/observations.ts';
import { totalsOf } from './telemetry/totals.ts';
import { version } from './version.ts';

export interface ServiceOptions {
  readonly config: Config;
  readonly log: Log;
  /** Where the configuration was read from: the log says so. */
  readonly origin?: ConfigOrigin | undefined;
  /** Reads the configuration again. Without it, a reload finds what is there already. */
  readonly load?: () => Promise<LoadResult>;
}

/** What keeps a service from starting: said in a sentence, exit code 1. */
export class StartError extends Error {}

export class Service {
  /** Fulfils once all listeners accept. Rejects with a StartError, and then nothing is left running. */
  static async start(options: ServiceOptions): Promise<Service> {
    const service = Service.create(options);
    await service.begin();
    return service;
  }

  /** Nothing runs before `begin`. Throws a StartError where the driver that is asked for does not run here. */
  static create(options: ServiceOptions): Service {
    return new Service(options);
  }

  readonly controlPlane: ControlPlane;
  readonly metrics: Metrics;
  readonly #options: ServiceOptions;
  readonly #observations: Observations;
  readonly #events: Events;
  readonly #admin: Admin;
  readonly #driver: DriverModule;
  readonly #startedMs = performance.now();
  #origin: ConfigOrigin | undefined;
  /** Keys of the configuration that hold from the next restart on. */
  #pendingRestart: readonly string[] = [];
  #ended: Promise<void> | undefined;
  #isForced = false;
  readonly #reloads = new OneAtATime();
  readonly #stopping = new AbortController();

  private constructor(options: ServiceOptions) {
    this.#options = options;
    const { config, log } = options;
    const { module: driver, why } = chooseDriver(config.driver);
    if (driver === undefined) throw new StartError(`The ${config.driver} driver does not run here: ${why}`);
    this.#driver = driver;
    this.#origin = options.origin;
    log.logger.info(
      {
        config: options.origin?.file,
        hash: options.origin?.hash,
        version,
        node: process.version,
        pid: process.pid,
        driver: driver.name,
        why,
        workers: workerCount(config.workers, driver),
        limits: limitsOf(config),
      },
      'starting',
    );
    const observations = new Observations(Date.now());
    const events = new Events();
    this.#events = events;
    this.controlPlane = new ControlPlane({
      config,
      driver,
      logger: log.logger,
      logLines: (lines) => log.writeLines(lines),
      observations,
      events,
    });
    const { ledger } = this.controlPlane;
    log.waitFor(() => unsentSinceMs(ledger));
    this.#observations = observations;
    const { view, operator, sessions } = this.controlPlane;
    const source: AdminSource = {
      build: { version, node: process.version, driver: driver.name, driverReason: why },
      ...{ view, operator, sessions, observations, events, history: new History(view) },
      origin: () => this.#origin,
      pendingRestart: () => this.#pendingRestart,
      logLinesLeftOut: () => ledger.linesLeftOut.sum(0, 0) + log.linesDropped,
      reload: (trigger) => this.reload(trigger),
    };
    this.metrics = new Metrics(source);
    this.#admin = new Admin({ ...source, metrics: this.metrics }, log.logger);
  }

  /** As `start` says. May be stopped and drained meanwhile, which ends it at once; a reload waits for its end. */
  begin(): Promise<void> {
    return this.#reloads.run(() => this.#begin());
  }

  async #begin(): Promise<void> {
    const { config, log } = this.#options;
    try {
      // First, so that readiness can be asked while names are resolved and listeners come up.
      await (await this.#admin.prepare(config.admin)).commit();
      await this.controlPlane.start();
    } catch (error) {
      await this.#release();
      throw error instanceof BindError || error instanceof RangeError
        ? new StartError(error.message, { cause: error })
        : error;
    }
    log.logger.info('serving');
  }

  /** Where the admin API listens, as people write it. */
  get adminAddress(): string | undefined {
    return this.#admin.bound && formatAddress(this.#admin.bound);
  }

  /**
   * Reads the configuration again and changes over to it; one that can't be had disturbs nothing. One reload
   * waits for the other, so that the file as it was read last is what runs in the end. `trigger` says for the log, in a
   * word or two, who asks for it.
   */
  reload(trigger = 'program'): Promise<ReloadResult> {
    return this.#reloads.run(() => this.#reload(trigger));
  }

  async #reload(trigger: string): Promise<ReloadResult> {
    const { logger } = this.#options.log;
    const result = await this.#changeOver();
    this.#observations.countReload(result.ok, Date.now());
    this.#events.publish('reload', { trigger, ...result });
    if (result.ok) {
      const { changes, pendingRestart } = result;
      logger.info({ trigger, hash: this.#origin?.hash, ...changes }, 'configuration reloaded');
      if (pendingRestart.length > 0) logger.warn({ pendingRestart }, 'some changes take a restart');
    } else
      for (const error of result.errors) logger.error({ trigger, ...error }, 'configuration not reloaded');
    return result;
  }

  /**
   * Is not ready any more, goes on accepting for as long as the configuration says, lets sessions finish for as long as
   * it says, and ends.
   */
  async drain(trigger = 'program'): Promise<void> {
    const { delayMs, graceMs } = this.controlPlane.config.shutdown;
    this.#options.log.logger.info({ trigger, delayMs, graceMs }, 'draining');
    const isReady = this.controlPlane.view.phase === 'serving';
    this.controlPlane.announceDrain();
    const { signal } = this.#stopping;
    // Stopped meanwhile, it has nothing left to drain.
    if (isReady && delayMs > 0) await setTimeout(delayMs, undefined, { signal }).catch(() => {});
    if (!signal.aborted) await this.controlPlane.drain(graceMs);
    await this.#end();
  }

  /** Ends at once. */
  stop(trigger = 'program'): Promise<void> {
    if (this.#ended === undefined) this.#options.log.logger.warn({ trigger }, 'stopping at once');
    this.#isForced ||= this.#ended === undefined;
    return this.#end();
  }

  /** Its line is the last one. */
  #end(): Promise<void> {
    const { logger } = this.#options.log;
    this.#ended ??= this.#release().then(() => {
      const uptimeMs = Math.round(performance.now() - this.#startedMs);
      logger.info({ forced: this.#isForced, uptimeMs, ...totalsOf(this.controlPlane.ledger) }, 'stopped');
    });
    return this.#ended;
  }

  async #release(): Promise<void> {
    this.#stopping.abort();
    await this.controlPlane.stop();
    await this.#admin.close();
    this.metrics.close();
  }

  /** Takes effect whole or not at all, also where a listener and the admin API have each other's addresses. */
  async #move(before: Config, next: Config): Promise<void> {
    const { controlPlane } = this;
    const held = controlPlane.view.addresses();
    const wanted = next.listeners.flatMap(({ bind }) => bind);
    const move = await this.#admin.prepare(next.admin, { held, wanted });
    try {
      await controlPlane.apply(next, () => move.freeAddresses());
      await move.commit();
    } catch (error) {
      if (controlPlane.config === next) await controlPlane.apply(before);
      await move.abandon();
      throw error;
    }
  }

  async #changeOver(): Promise<ReloadResult> {
    const { load, log } = this.#options;
    const before = this.controlPlane.config;
    const loaded = await load?.();
    if (loaded?.ok === false) return { ok: false, errors: loaded.issues.map(toReloadError) };
    const { config = before, warnings = [] } = loaded ?? {};
    for (const warning of warnings) log.logger.warn(toReloadError(warning), 'configuration warning');
    let logMove: LogMove | undefined;
    try {
      if (config.log.file !== before.log.file) logMove = log.move(config.log.file);
      await this.#move(before, config);
    } catch (error) {
      logMove?.abandon();
      return { ok: false, errors: [{ message: error instanceof Error ? error.message : String(error) }] };
    }
    logMove?.commit();
    log.setLevel(config.log.level);
    if (loaded !== undefined) this.#origin = originOf(loaded);
    this.#pendingRestart = pendingRestart(this.#options.config, config, this.#driver);
    return { ok: true, changes: changesBetween(before, config), pendingRestart: this.#pendingRestart };
  }
}

function limitsOf({ memory }: Config): {
  readonly descriptors: number | undefined;
  readonly bufferBytes: number;
} {
  const descriptors = descriptorLimit();
  return {
    descriptors: Number.isFinite(descriptors) ? descriptors : undefined,
    bufferBytes: bufferBytes(memory),
  };
}

function toReloadError({ file, line, column, path, message }: Issue): ReloadError {
  return { file, line, column, path, message };
}
