/**
 * One core tied to one driver: what the driver reports goes to the core, what the core commands goes to the
 * driver, and what people should know goes to the log. There is one timer, and the driver keeps it.
 */
import type { Command, Core, CoreEvent } from '../core/contract.ts';
import { createCore } from '../core/core.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import type { Incident, SessionRecord } from '../core/reports.ts';
import type { SessionFilter, SessionPage, SessionView } from '../core/session-list.ts';
import { DescriptorBudget } from '../drivers/descriptor-budget.ts';
import type { Driver, DriverHost, DriverMaker } from '../drivers/driver.ts';
import type { TicketKeys } from '../drivers/ticket-keys.ts';
import { SessionRounds } from './session-rounds.ts';
import { StallGrace } from './stall-grace.ts';

export interface DataPlaneDeps {
  readonly worker: number;
  readonly ledger: Ledger;
  readonly makeDriver: DriverMaker;
  readonly resources?: SharedArrayBuffer | undefined;
  readonly sessionLog: SessionSink;
  readonly bufferBytes: number;
  readonly ticketKeys: TicketKeys;
  now(): number;
  receive(): void;
  /** Has another worker handle `woken`, at once. */
  wake(worker: number): void;
  /** Is told of incidents, besides the log. */
  told(incident: Incident): void;
  /** A client or a dial found no descriptor: once a second at most. */
  outOfDescriptors(): void;
  /** A client was turned away because its listener is full: once a second at most for each listener. */
  listenerFull(listener: string): void;
  /** Draining, and the last session has ended. Called once. */
  onDrained(): void;
}

/** Where finished sessions and incidents are written down, in batches that are due at a time. */
export interface SessionSink {
  write(record: SessionRecord, nowMs: number): void;
  writeIncident(incident: Incident, nowMs: number): void;
  /** Whether it wants to be told of sessions as backends begin to serve them. */
  readonly logsStart: boolean;
  opened(session: SessionView, nowMs: number): void;
  /** How often it wants to be told of each that goes on, in milliseconds; `Infinity`: never. */
  readonly everyMs: number;
  continues(session: SessionView, nowMs: number): void;
  readonly nextFlushMs: number | undefined;
  flush(nowMs: number): void;
}

export class DataPlane {
  readonly driver: Driver;
  readonly #core: Core;
  readonly #deps: DataPlaneDeps;
  readonly #rounds: SessionRounds;
  #draining = false;
  #exhaustionToldMs = Number.NEGATIVE_INFINITY;
  readonly #fullToldMs = new Map<string, number>();
  #wakeMs: number | undefined;
  readonly #grace = new StallGrace();

  constructor(deps: DataPlaneDeps) {
    this.#deps = deps;
    const { ledger, now, bufferBytes, ticketKeys, worker } = deps;
    const host: DriverHost = {
      emit: (event, nowMs) => this.handle(event, nowMs),
      deadline: () => this.#deadline(),
      receive: () => deps.receive(),
      now,
      bufferBytes,
      buffersHold: (bytes) => {
        ledger.bufferBytes[worker] = bytes;
      },
      descriptors: new DescriptorBudget(ledger.owedDials, worker),
      ticketKeys,
      countBytes: (listener, backend, toBackend, toClient) =>
        ledger.countBytes(listener, backend, toBackend, toClient),
    };
    this.driver = deps.makeDriver(host, deps.resources);
    this.#core = createCore({ ledger, worker, activity: this.driver, random: Math.random });
    const { sessionLog } = deps;
    this.#rounds = new SessionRounds({
      everyMs: () => sessionLog.everyMs,
      list: (from) => {
        const filter = { state: 'relaying', olderThanMs: sessionLog.everyMs } as const;
        return this.list(filter, from, Number.POSITIVE_INFINITY);
      },
      report: (session) => sessionLog.continues(session, now()),
    });
  }

  handle(event: CoreEvent, nowMs = this.#deps.now()): void {
    const { count, commands } = this.#core.handle(event, nowMs);
    for (let at = 0; at < count; at++) {
      const command = commands[at];
      if (command !== undefined) this.#execute(command, nowMs);
    }
    if (event.kind === 'drain' || event.kind === 'stop') this.#draining = true;
    else if (event.kind === 'exhausted' && event.what === 'descriptors') this.#tellExhaustion(nowMs);
    if (this.#draining && this.#core.activeSessions === 0) {
      this.#draining = false;
      this.#deps.onDrained();
    }
    this.#setWake(nowMs);
  }

  list(filter: SessionFilter, from: number, most: number): SessionPage {
    return this.#core.list(filter, from, most, this.#deps.now());
  }

  #execute(command: Command, nowMs: number): void {
    if (command.kind === 'report') this.#report(command.record, nowMs);
    else if (command.kind === 'tell') this.#reportIncident(command.incident, nowMs);
    else if (command.kind === 'wake') this.#deps.wake(command.worker);
    else this.driver.execute(command);
    if (command.kind === 'join' && this.#deps.sessionLog.logsStart) {
      const session = this.#core.view(command.client, nowMs);
      if (session !== undefined) this.#deps.sessionLog.opened(session, nowMs);
    }
  }

  #report(record: SessionRecord, nowMs: number): void {
    this.#deps.sessionLog.write(record, nowMs);
    const { listener, reason } = record;
    if (reason !== 'listener-full') return;
    const toldMs = this.#fullToldMs.get(listener) ?? Number.NEGATIVE_INFINITY;
    if (nowMs < toldMs + troubleEveryMs) return;
    this.#fullToldMs.set(listener, nowMs);
    this.#deps.listenerFull(listener);
  }

  #reportIncident(incident: Incident, nowMs: number): void {
    this.#deps.sessionLog.writeIncident(incident, nowMs);
    this.#deps.told(incident);
  }

  #tellExhaustion(nowMs: number): void {
    if (nowMs < this.#exhaustionToldMs + troubleEveryMs) return;
    this.#exhaustionToldMs = nowMs;
    this.#deps.outOfDescriptors();
  }

  #deadline(): void {
    const { sessionLog, now } = this.#deps;
    const nowMs = now();
    const dueMs = this.#wakeMs ?? nowMs;
    this.#wakeMs = undefined;
    if (nowMs >= (sessionLog.nextFlushMs ?? Number.POSITIVE_INFINITY)) sessionLog.flush(nowMs);
    this.#rounds.due(nowMs);
    if (this.#grace.judges(dueMs, nowMs)) this.handle({ kind: 'deadline' });
    else this.#setWake(nowMs);
  }

  /** Wakes are only moved forward: one that turns out too early costs less than moving it at every event. */
  #setWake(nowMs: number): void {
    const nextMs = Math.min(
      Math.max(this.#core.nextDeadlineMs ?? Number.POSITIVE_INFINITY, this.#grace.untilMs),
      this.#deps.sessionLog.nextFlushMs ?? Number.POSITIVE_INFINITY,
      this.#rounds.nextMs(nowMs),
    );
    if (nextMs >= (this.#wakeMs ?? Number.POSITIVE_INFINITY)) return;
    this.#wakeMs = nextMs;
    this.driver.wakeAt(nextMs);
  }
}

const troubleEveryMs = 1_000;
