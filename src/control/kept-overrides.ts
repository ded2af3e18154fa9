/**
 * What operators have changed, over time: taken from the state file at the start and written there, ended when its time
 * is over, and dropped where the configuration has overtaken it. A pool is released until nobody waits in it any more.
 */
import type { Logger } from 'pino';
import type { Administration } from './administration.ts';
import type { Override } from './overrides.ts';
import { StateFile } from './state-file.ts';

export interface KeptOverridesDeps {
  readonly administration: Administration;
  /** Where overrides are kept over a restart; undefined keeps them nowhere. */
  readonly stateFile: string | undefined;
  readonly logger: Logger;
  /** How many sessions wait in a pool. */
  queued(pool: string): number;
  /** Refuses the sessions that wait in a pool. */
  refuseWaiting(pool: string): void;
  /** Applies a change after those before it; rejects where the proxy is stopping. */
  administer(change: () => void): Promise<void>;
}

/** The longest delay of a timer. */
const longestWaitMs = 24 * 60 * 60 * 1_000;

/** Between two looks at the queues of pools that are released. */
const betweenLooksMs = 100;

export class KeptOverrides {
  readonly #deps: KeptOverridesDeps;
  readonly #file: StateFile | undefined;
  #nextEnd: NodeJS.Timeout | undefined;
  #nextLook: NodeJS.Timeout | undefined;
  #kept: readonly Override[] = [];

  constructor(deps: KeptOverridesDeps) {
    this.#deps = deps;
    this.#file = deps.stateFile === undefined ? undefined : new StateFile(deps.stateFile);
  }

  /** A file that is broken is a warning. */
  restore(): void {
    const { administration, logger } = this.#deps;
    try {
      administration.restore(this.#file?.read() ?? []);
      this.#kept = administration.overrides;
    } catch (err) {
      logger.warn({ err, file: this.#file?.path }, 'the state file is broken, no override was taken from it');
    }
  }

  /** Overrides have changed: `dropped` are those that the configuration has overtaken. */
  changed(dropped: readonly Override[]): void {
    this.#tell(dropped, 'override dropped, the configuration of the backend has changed');
    this.#watchReleases();
    clearTimeout(this.#nextEnd);
    const { administration, administer } = this.#deps;
    const endMs = administration.nextEndMs;
    if (endMs === undefined) return;
    const waitMs = Math.min(Math.max(0, endMs - Date.now()), longestWaitMs);
    const expire = () => this.#ended(administration.expire(Date.now()));
    this.#nextEnd = setTimeout(() => void administer(expire).catch(() => undefined), waitMs).unref();
  }

  /** Fulfils once they are on the disk too, where there is a file for them. A write that fails is told. */
  async keep(): Promise<void> {
    const { administration, logger } = this.#deps;
    const { overrides } = administration;
    if (overrides === this.#kept) return;
    this.#kept = overrides;
    try {
      await this.#file?.write(overrides);
    } catch (err) {
      logger.error({ err, file: this.#file?.path }, 'overrides could not be kept in the state file');
    }
  }

  close(): void {
    clearTimeout(this.#nextEnd);
    clearTimeout(this.#nextLook);
  }

  #ended(overrides: readonly Override[]): void {
    const holds = overrides.filter(({ field }) => field === 'hold');
    this.#tell(
      overrides.filter((one) => !holds.includes(one)),
      'override ended',
    );
    for (const { value, pool } of holds)
      if (typeof value === 'object' && value.then === 'refuse') this.#deps.refuseWaiting(pool);
  }

  #watchReleases(): void {
    clearTimeout(this.#nextLook);
    const { administration, administer, queued } = this.#deps;
    if (!administration.isReleasing) return;
    const look = (): void => {
      const over = administration.released((pool) => queued(pool) > 0, Date.now());
      if (over.length === 0) this.#watchReleases();
      else void administer(() => administration.endReleases(over)).catch(() => undefined);
    };
    this.#nextLook = setTimeout(look, betweenLooksMs).unref();
  }

  #tell(overrides: readonly Override[], message: string): void {
    for (const { pool, backend, field, value, configured } of overrides)
      this.#deps.logger.info({ pool, backend, field, value, configured }, message);
  }
}
