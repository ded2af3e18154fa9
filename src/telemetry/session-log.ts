/**
 * A worker's log: turns what the core reports of a finished session into its line. The lines are formatted
 * here, in the worker, and handed over in batches, so that the main thread has nothing to do but write.
 */
import { type Logger, pino } from 'pino';
import type { LogConfig } from '../config/config.ts';
import type { Client, SessionRecord } from '../core/contract.ts';
import type { Reason } from '../core/reasons.ts';
import { LineBatch } from './line-batch.ts';
import { lineFormat } from './line-format.ts';
import { type Counted, RefusalBound } from './refusal-bound.ts';

export interface SessionLogParts {
  readonly config: LogConfig;
  /** A monotonic clock in milliseconds, for the bound on refusals. */
  now(): number;
  /** Takes whole lines of JSON, each with its newline: at most 64 KiB, at most every 100 ms unless full. */
  send(lines: string): void;
}

export class SessionLog {
  /** For whatever else the worker has to say; its lines take the same way. */
  readonly logger: Logger;
  readonly #now: () => number;
  readonly #batch: LineBatch;
  readonly #refusals = new RefusalBound();
  #sessions: boolean;
  #timer: NodeJS.Timeout | undefined;

  constructor({ config, now, send }: SessionLogParts) {
    this.#now = now;
    this.#batch = new LineBatch(send);
    this.#sessions = config.sessions;
    this.logger = pino({ ...lineFormat, level: config.level }, this.#batch);
  }

  /** A reload may change the level, and whether sessions that ran are logged. */
  configure(config: LogConfig): void {
    this.logger.level = config.level;
    this.#sessions = config.sessions;
  }

  /**
   * Logs a finished session: one that ran at `info`; one that was refused or found no backend at `warn`, ten
   * a second for each listener and reason. A line's `leftOut` is how many before it were not written.
   */
  report(record: SessionRecord): void {
    if (levelOf[record.reason] === 'info') {
      if (this.#sessions) this.logger.info(fieldsOf({ record, leftOut: 0 }), message);
      return;
    }
    if (!this.logger.isLevelEnabled('warn')) return;
    const counted = this.#refusals.take(record, this.#now());
    if (counted !== undefined) this.logger.warn(fieldsOf(counted), message);
    this.#watchRefusals();
  }

  /** Hands everything over now, refusals that were held back included. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#write(this.#refusals.takeHeld(Number.POSITIVE_INFINITY));
    this.#batch.flush();
  }

  /** While refusals come, looks now and then for those whose second is over. */
  #watchRefusals(): void {
    if (this.#timer !== undefined || this.#refusals.isEmpty) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#write(this.#refusals.takeHeld(this.#now()));
      this.#watchRefusals();
    }, 200).unref();
  }

  #write(held: readonly Counted[]): void {
    for (const counted of held) this.logger.warn(fieldsOf(counted), message);
  }
}

const message = 'session closed';

/** The fields of a line; pino leaves out those that are undefined. */
function fieldsOf({ record, leftOut }: Counted): object {
  return {
    listener: record.listener,
    pool: record.pool,
    backend: record.backend,
    client: clientText(record.client),
    attempts: record.attempts,
    queueMs: rounded(record.queueMs),
    connectMs: record.connectMs === undefined ? undefined : rounded(record.connectMs),
    durationMs: rounded(record.durationMs),
    bytesToBackend: record.bytesToBackend,
    bytesToClient: record.bytesToClient,
    reason: record.reason,
    endedBy: record.endedBy,
    leftOut: leftOut === 0 ? undefined : leftOut,
  };
}

function clientText({ address, port }: Client): string {
  if (address === 'unix') return address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

const levelOf = {
  finished: 'info',
  'client-reset': 'info',
  'backend-reset': 'info',
  'idle-timeout': 'info',
  'half-closed-timeout': 'info',
  'lifetime-exceeded': 'info',
  'drain-timeout': 'info',
  'backend-down': 'info',
  operator: 'info',
  denied: 'warn',
  'listener-full': 'warn',
  'client-full': 'warn',
  'rate-limited': 'warn',
  'no-route': 'warn',
  'bad-proxy-header': 'warn',
  'inspect-timeout': 'warn',
  'tls-failed': 'warn',
  overloaded: 'warn',
  'no-backend': 'warn',
  'pool-full': 'warn',
  'queue-full': 'warn',
  'queue-timeout': 'warn',
  'connect-refused': 'warn',
  'connect-timeout': 'warn',
  'connect-failed': 'warn',
  'client-left': 'warn',
} as const satisfies Record<Reason, 'info' | 'warn'>;
