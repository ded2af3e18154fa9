/** Holds the core to what must become of clients that arrive, and of their bytes. */
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import { Destinations } from './destinations.ts';
import { type Asked, ShadowArrival, type Standing } from './shadow-arrival.ts';
import { ShadowEntrance } from './shadow-entrance.ts';
import { newcomer, type ShadowSession, type WorkerView } from './shadow-session.ts';
import type { Told, ToldCommand, ToldOf } from './told.ts';
import { must } from './violation.ts';

export class Arrivals {
  readonly entrance = new ShadowEntrance();
  readonly destinations: Destinations;
  /** Those whose time in a step is over in this event, and of whom nothing was heard yet. */
  readonly #overdue = new Set<ShadowSession>();
  /** Whether there are, or were: when in this event they came to their pools, nobody knows. */
  areOverdue = false;

  constructor(ledger: Ledger) {
    this.destinations = new Destinations(ledger);
  }

  /** To be called before anything else is done about an event. */
  happens(worker: WorkerView, event: Told, nowMs: number): void {
    this.#overdue.clear();
    this.areOverdue = false;
    if (event.kind !== 'deadline') return;
    const overdue = [...worker.sessions.values()].filter(
      ({ stage, actByMs }) => stage === 'arriving' && nowMs >= actByMs && actByMs < worker.drainMs,
    );
    // Who was due first is dealt with first, and takes what there is.
    for (const session of overdue.toSorted((one, other) => one.actByMs - other.actByMs))
      this.#overdue.add(session);
    this.areOverdue = overdue.length > 0;
  }

  accepted(
    worker: WorkerView,
    { session: id, client, listener: slot }: ToldOf<'accepted'>,
    nowMs: number,
  ): void {
    const listener = worker.listeners.get(slot);
    const connection = worker.driver.connections.get(id);
    must(listener !== undefined, () => `the driver accepts for listener ${slot}, which was never there`);
    must(connection !== undefined, () => `session ${id} has no connection`);
    const arrival = new ShadowArrival(id, client, connection.speech, listener, this.entrance);
    const poolNames = worker.poolNames.get(slot) ?? new Map();
    const session = newcomer({ id, listener, acceptedMs: nowMs, arrival, poolNames });
    worker.sessions.set(id, session);
    this.#stands(worker, session, arrival.begin(nowMs), 'next');
  }

  /** Something happened to an arriving session itself. */
  heard(worker: WorkerView, session: ShadowSession, event: Told, nowMs: number): void {
    const { arrival } = session;
    const standing = (): Standing => {
      switch (event.kind) {
        case 'received':
          return arrival.received(event.bytes.length, nowMs);
        case 'secured':
          return arrival.secured(event.alpn, nowMs);
        case 'secure-failed':
          return { refused: [{ reason: 'tls-failed', with: 'fin' }] };
        case 'half-closed':
          return arrival.finished(event.unsentBytes, nowMs);
        default:
          return 'waits';
      }
    };
    this.#stands(worker, session, standing(), 'next');
  }

  /** Something is commanded about a session: if its time is over, this is why. */
  stepsOn(worker: WorkerView, session: ShadowSession, nowMs: number): void {
    if (!this.#overdue.has(session)) return;
    const dueMs = session.actByMs;
    for (const other of this.#overdue) if (other.actByMs < dueMs) this.#isDue(worker, other, nowMs);
    this.#isDue(worker, session, nowMs);
  }

  /** Nothing more is said about the event. */
  settle(worker: WorkerView, nowMs: number): void {
    for (const session of this.#overdue) this.#isDue(worker, session, nowMs);
    for (const { id, arrival } of worker.sessions.values()) {
      must(arrival.asked.size === 0, () => `session ${id} lacks ${[...arrival.asked].join(' and ')}`);
    }
    this.destinations.settle();
  }

  commanded(session: ShadowSession, command: Asked): void {
    const { asked } = session.arrival;
    const text = JSON.stringify(command);
    must(asked.has(text), () => `expected ${[...asked].join(' or ')}, found ${text}`);
    asked.delete(text);
  }

  leaves({ arrival }: ShadowSession): void {
    if (arrival.entry !== undefined) this.entrance.leave(arrival.entry);
  }

  #isDue(worker: WorkerView, session: ShadowSession, nowMs: number): void {
    this.#overdue.delete(session);
    this.#stands(worker, session, session.arrival.due(nowMs), 'some');
  }

  #stands(worker: WorkerView, session: ShadowSession, standing: Standing, turn: 'next' | 'some'): void {
    const { arrival } = session;
    session.uniqueId = arrival.announced?.uniqueId;
    session.actByMs = arrival.dueMs;
    if (standing === 'waits') return;
    session.actByMs = Number.POSITIVE_INFINITY;
    if ('refused' in standing) {
      session.stage = 'doomed';
      session.reasons = standing.refused.map(({ reason }) => reason);
      session.closeWith = standing.refused.find((refusal) => refusal.with !== undefined)?.with;
    } else {
      session.stage = 'fresh';
      this.destinations.send(worker, session, standing.to, turn);
    }
  }
}

export function isAsked(command: ToldCommand): command is Asked {
  const { kind } = command;
  return kind === 'inspect' || kind === 'discard' || kind === 'send' || kind === 'secure';
}

/** That what goes on to the backend is all that the client said, but for what is not for it. */
export function checkDelivery({ driver }: WorkerView, { id, arrival }: ShadowSession): void {
  const discarded = driver.connections.get(id)?.discarded;
  const wanted = arrival.handshake === undefined ? arrival.headerBytes : 0;
  must(discarded === wanted, () => `session ${id} has lost ${discarded} bytes, expected ${wanted}`);
}
