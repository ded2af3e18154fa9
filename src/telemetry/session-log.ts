/**
 * A worker's log: turns what the core reports of sessions and backends into lines. These are formatted
 * here, in the worker, and handed over in batches, so that the main thread has nothing to do but write. It
 * keeps no timer of its own, for a worker may sleep where timers don't wake it: see `nextFlushMs`.
 */
import { type Logger, pino } from 'pino';
import type { LogConfig } from '../config/config.ts';
import type { Incident, SessionRecord } from '../core/contract.ts';
import type { Reason } from '../core/reasons.ts';
import { endpointText } from './endpoint-text.ts';
import { logIncident } from './incident-lines.ts';
import { LineBatch, lineFormat } from './lines.ts';
import { type Counted, RefusalBound } from './refusal-bound.ts';

/** How long a line may wait for others. */
const batchMs = 100;

export class SessionLog {
  readonly #logger: Logger;
  readonly #batch: LineBatch;
  readonly #refusals = new RefusalBound();
  #sessions: boolean;
  #emptySessions: boolean;
  #batchDueMs = Number.POSITIVE_INFINITY;

  /** `send` takes whole lines of JSON, each with its newline, up to 64 KiB at once. */
  constructor(config: LogConfig, send: (lines: string) => void) {
    this.#batch = new LineBatch(send);
    this.#logger = pino({ ...lineFormat, level: config.level }, this.#batch);
    this.#sessions = config.sessions;
    this.#emptySessions = config.emptySessions;
  }

  /** A reload may change the level, and which sessions are logged. */
  configure(config: LogConfig): void {
    this.#logger.level = config.level;
    this.#sessions = config.sessions;
    this.#emptySessions = config.emptySessions;
  }

  /**
   * Logs a finished session: one that ran at `info`; one that was refused or found no backend at `warn`, ten
   * a second for each listener and reason; so are clients that left without a word, at `info` though. A line's
   * `leftOut` is how many before it were not written.
   */
  write(record: SessionRecord, nowMs: number): void {
    if (record.isEmpty && !(this.#emptySessions && this.#sessions)) return;
    if (levelOf[record.reason] === 'warn') this.#writeRefusal(record, nowMs);
    else if (this.#sessions) this.#logger.info(fieldsOf({ record, leftOut: 0 }), message);
    this.#setBatchDue(nowMs);
  }

  tell(incident: Incident, nowMs: number): void {
    logIncident(this.#logger, incident);
    this.#setBatchDue(nowMs);
  }

  /** When to call `flush` next; undefined while nothing waits. */
  get nextFlushMs(): number | undefined {
    const nextMs = Math.min(this.#batchDueMs, this.#refusals.nextEndMs);
    return nextMs === Number.POSITIVE_INFINITY ? undefined : nextMs;
  }

  /**
   * Hands over what is written, and the last of the refusals left out in a second that is over. At the end,
   * `Infinity` is later than all of them.
   */
  flush(nowMs: number): void {
    for (const held of this.#refusals.takeHeld(nowMs)) this.#writeCounted(held);
    this.#batch.flush();
    this.#batchDueMs = Number.POSITIVE_INFINITY;
  }

  #writeRefusal(record: SessionRecord, nowMs: number): void {
    if (!this.#logger.isLevelEnabled(refusalLevel(record))) return;
    const counted = this.#refusals.take(record, nowMs);
    if (counted !== undefined) this.#writeCounted(counted);
  }

  #writeCounted(counted: Counted): void {
    this.#logger[refusalLevel(counted.record)](fieldsOf(counted), message);
  }

  #setBatchDue(nowMs: number): void {
    if (this.#batchDueMs === Number.POSITIVE_INFINITY && !this.#batch.isEmpty)
      this.#batchDueMs = nowMs + batchMs;
  }
}

const message = 'session closed';

/** A balancer that only looks in is no cause for a warning. */
function refusalLevel({ isEmpty }: SessionRecord): 'info' | 'warn' {
  return isEmpty ? 'info' : 'warn';
}

/** The fields of a line; pino leaves out those that are undefined. */
function fieldsOf({ record, leftOut }: Counted): object {
  return {
    listener: record.listener,
    pool: record.pool,
    backend: record.backend,
    backendName: record.backendName,
    client: endpointText(record.client),
    attempts: record.attempts,
    queueMs: rounded(record.queueMs),
    connectMs: record.connectMs === undefined ? undefined : rounded(record.connectMs),
    durationMs: rounded(record.durationMs),
    bytesToBackend: record.bytesToBackend,
    bytesToClient: record.bytesToClient,
    reason: record.reason,
    endedBy: record.endedBy,
    detail: record.detail,
    dials: record.dials,
    sni: record.sni,
    alpn: record.alpn,
    protocol: record.protocol,
    tlsVersion: record.tlsVersion,
    clientSubject: record.clientSubject,
    uniqueId: record.uniqueId,
    leftOut: leftOut === 0 ? undefined : leftOut,
  };
}

/** Rounds to the microsecond. */
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
