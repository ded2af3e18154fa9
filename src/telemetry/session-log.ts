/**
 * A worker's log: turns what the core reports of sessions and backends into lines. These are formatted
 * here, in the worker, and handed over in batches, so that the main thread has nothing to do but write. It
 * keeps no timer of its own, for a worker may sleep where timers don't wake it: see `nextFlushMs`.
 */
import { type Logger, pino } from 'pino';
import type { LogConfig } from '../config/config.ts';
import type { SessionField } from '../config/session-fields.ts';
import { hasRun } from '../core/reasons.ts';
import type { Incident, SessionRecord } from '../core/reports.ts';
import type { SessionView } from '../core/session-list.ts';
import { endpointText } from './endpoint-text.ts';
import { logIncident } from './incident-lines.ts';
import { batchMs, LineBatch, type LineOutlet, lineFormat } from './lines.ts';
import { type Counted, RefusalBound } from './refusal-bound.ts';

export type SessionLogConfig = Omit<LogConfig, 'file'>;

export class SessionLog {
  readonly #logger: Logger;
  readonly #outlet: LineOutlet;
  readonly #batch: LineBatch;
  readonly #refusals = new RefusalBound();
  readonly #random: () => number;
  #config: SessionLogConfig;
  /** Sessions that went well and were not written since the last that was, by listener. */
  readonly #unsampled = new Map<string, number>();
  #batchDueMs = Number.POSITIVE_INFINITY;

  /** `outlet` is sent up to 64 KiB at once. `random` gives numbers from 0 (inclusive) to 1 (exclusive). */
  constructor(config: SessionLogConfig, outlet: LineOutlet, random: () => number = Math.random) {
    this.#outlet = outlet;
    this.#batch = new LineBatch(outlet);
    this.#logger = pino({ ...lineFormat, level: config.level }, this.#batch);
    this.#random = random;
    this.#config = config;
  }

  /** A reload may change the level, which sessions are logged, and what of them. */
  configure(config: SessionLogConfig): void {
    this.#logger.level = config.level;
    this.#config = config;
  }

  /**
   * Logs a finished session: one that ran at `info`; one that was refused or found no backend at `warn`, ten
   * a second for each listener and reason; so are clients that left without a word, at `info` though. A line's
   * `leftOut` is how many before it were not written.
   */
  write(record: SessionRecord, nowMs: number): void {
    const { sessions, emptySessions } = this.#config;
    if (record.isEmpty && !(emptySessions && sessions)) return;
    if (!hasRun(record.reason)) this.#writeRefusal(record, nowMs);
    else if (sessions) this.#writeServed(record);
    this.#setBatchDue(nowMs);
  }

  get logsStart(): boolean {
    const { sessions } = this.#config;
    return typeof sessions === 'object' && sessions.start && this.#logger.isLevelEnabled('info');
  }

  get everyMs(): number {
    const { sessions } = this.#config;
    const isWanted = typeof sessions === 'object' && this.#logger.isLevelEnabled('info');
    return isWanted ? sessions.everyMs : Number.POSITIVE_INFINITY;
  }

  opened(session: SessionView, nowMs: number): void {
    this.#writeOpen(session, 'session opened', nowMs);
  }

  continues(session: SessionView, nowMs: number): void {
    this.#writeOpen(session, 'session goes on', nowMs);
  }

  #writeOpen(session: SessionView, message: string, nowMs: number): void {
    this.#logger.info(this.#wanted(openFieldsOf(session)), message);
    this.#setBatchDue(nowMs);
  }

  writeIncident(incident: Incident, nowMs: number): void {
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
    for (const held of this.#refusals.releaseHeld(nowMs)) this.#writeCounted(held);
    this.#batch.flush();
    this.#batchDueMs = Number.POSITIVE_INFINITY;
  }

  #writeServed(record: SessionRecord): void {
    const { samplePercent } = this.#config;
    let leftOut = 0;
    if (samplePercent < 100 && wentWell(record)) {
      leftOut = this.#unsampled.get(record.listener) ?? 0;
      const isTaken = this.#random() * 100 < samplePercent;
      this.#unsampled.set(record.listener, isTaken ? 0 : leftOut + 1);
      if (!isTaken) return;
    }
    this.#logger.info(this.#fieldsOf({ record, leftOut }), message);
  }

  #writeRefusal(record: SessionRecord, nowMs: number): void {
    if (!this.#logger.isLevelEnabled(refusalLevel(record))) return;
    const counted = this.#refusals.admit(record, nowMs);
    if (counted !== undefined) this.#writeCounted(counted);
  }

  #writeCounted(counted: Counted): void {
    if (counted.leftOut > 0) this.#outlet.leftOut(counted.leftOut);
    this.#logger[refusalLevel(counted.record)](this.#fieldsOf(counted), message);
  }

  /** pino leaves out those that are undefined. */
  #fieldsOf({ record, leftOut }: Counted): object {
    const wanted = this.#wanted(fieldsOf(record));
    return leftOut === 0 ? wanted : { ...wanted, leftOut };
  }

  #wanted(all: Readonly<Partial<Record<SessionField, unknown>>>): object {
    const { fields } = this.#config;
    return fields === undefined ? all : Object.fromEntries(fields.map((field) => [field, all[field]]));
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

/** Served to its end by the first backend that was dialed. */
function wentWell({ reason, attempts }: SessionRecord): boolean {
  return reason === 'finished' && attempts === 1;
}

function fieldsOf(record: SessionRecord): Record<SessionField, unknown> {
  return {
    listener: record.listener,
    pool: record.pool,
    backend: record.backend,
    backendName: record.backendName,
    client: endpointText(record.client),
    attempts: record.attempts,
    queueMs: rounded(record.queueMs),
    connectMs: record.connectMs === undefined ? undefined : rounded(record.connectMs),
    firstByteMs: record.firstByteMs === undefined ? undefined : rounded(record.firstByteMs),
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
  };
}

/** What is known while the session goes on, under the same names. */
function openFieldsOf(session: SessionView): Partial<Record<SessionField, unknown>> {
  const { client, queueMs, connectMs, ageMs, ...view } = session;
  return {
    listener: view.listener,
    pool: view.pool,
    backend: view.backend,
    client: endpointText(client),
    attempts: view.attempts,
    queueMs: rounded(queueMs),
    connectMs: connectMs === undefined ? undefined : rounded(connectMs),
    durationMs: rounded(ageMs),
    bytesToBackend: view.bytesToBackend,
    bytesToClient: view.bytesToClient,
    sni: view.sni,
    alpn: view.alpn,
    protocol: view.protocol,
  };
}

/** Rounds to the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
