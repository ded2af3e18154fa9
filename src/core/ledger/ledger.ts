/**
 * The numbers that all threads share: typed arrays over one buffer, a SharedArrayBuffer when there are
 * threads. What limits are judged by is changed with Atomics or under the lock and is exact with any number
 * of workers; what is only summed has a stripe for each worker. Workers and the main thread each make a
 * Ledger of their own over the same buffer. Pages never touched cost no memory, so capacities are generous.
 * What there is stands in `areas.ts`.
 */
import {
  type DialFailure,
  dialFailures,
  type Reason,
  reasons,
  type ServedReason,
  servedReasons,
} from '../reasons.ts';
import { AreaMaker, type LedgerCapacity, type Owner } from './area-maker.ts';
import { type Areas, backendFields, listenerFields, makeAreas } from './areas.ts';
import type { Counters } from './counters.ts';

export type { LedgerCapacity } from './area-maker.ts';

export const defaultCapacity: Omit<LedgerCapacity, 'workers'> = {
  listeners: 256,
  pools: 1_024,
  backends: 8_192,
  splits: 1_024,
  clients: 131_072,
};

/** The words of a backend's health in the ledger. 0 is what a fresh slot holds. */
export const healthWords = ['unknown', 'up', 'down'] as const;
export type Health = (typeof healthWords)[number];

/** The words of a circuit breaker's state in the ledger. 0 is what a fresh slot holds. */
export const circuitWords = ['closed', 'open', 'half-open'] as const;
export type CircuitState = (typeof circuitWords)[number];

/**
 * Has all areas as its fields, which the cast says: an area is one line in the table, and none here. It is the very
 * object that the table makes: of one that so many fields were assigned to, V8 looks each up by its name.
 */
const LedgerOfAreas = function (areas: Areas): Areas {
  return Object.setPrototypeOf(areas, new.target.prototype);
} as unknown as new (
  areas: Areas,
) => Areas;

export class Ledger extends LedgerOfAreas {
  /** Bytes that a ledger of this capacity needs. */
  static byteLength(capacity: LedgerCapacity): number {
    const maker = new AreaMaker(capacity);
    makeAreas(maker);
    return maker.byteLength;
  }

  readonly capacity: LedgerCapacity;
  readonly #maker: AreaMaker;

  /** `thread` is a worker's number from 0 on, or `main`, which reads, writes health and clears slots. */
  constructor(buffer: ArrayBuffer | SharedArrayBuffer, capacity: LedgerCapacity, thread: number | 'main') {
    const maker = new AreaMaker(capacity, buffer, thread === 'main' ? capacity.workers : thread);
    super(makeAreas(maker));
    this.capacity = capacity;
    this.#maker = maker;
  }

  countAccepted(listener: number): void {
    this.listenerCounters.add(listener, listenerFields.accepted, 1);
  }

  /** What was delivered between a listener's client and a backend. */
  countBytes(listener: number, backend: number, toBackend: number, toClient: number): void {
    if (toBackend > 0) {
      this.listenerCounters.add(listener, listenerFields.bytesToBackend, toBackend);
      this.backendCounters.add(backend, backendFields.bytesToBackend, toBackend);
    }
    if (toClient > 0) {
      this.listenerCounters.add(listener, listenerFields.bytesToClient, toClient);
      this.backendCounters.add(backend, backendFields.bytesToClient, toClient);
    }
  }

  countClosed(listener: number, reason: Reason): void {
    this.listenerCounters.add(listener, listenerFields.closed + reasons.indexOf(reason), 1);
  }

  countBackendConnection(backend: number): void {
    this.backendCounters.add(backend, backendFields.connections, 1);
  }

  /** A session that a backend has served is over. No other reasons than those listed end one. */
  countBackendClosed(backend: number, reason: Reason): void {
    const at = (servedReasons as readonly Reason[]).indexOf(reason);
    if (at >= 0) this.backendCounters.add(backend, backendFields.closed + at, 1);
  }

  countFirstByte(backend: number, tookMs: number): void {
    this.backendCounters.add(backend, backendFields.firstBytes, 1);
    this.backendCounters.add(backend, backendFields.firstByteMs, tookMs);
  }

  countDialFailure(backend: number, why: DialFailure): void {
    this.backendCounters.add(backend, backendFields.failures + dialFailures.indexOf(why), 1);
  }

  countCircuitOpened(backend: number): void {
    this.backendCounters.add(backend, backendFields.circuitOpened, 1);
  }

  /** What a listener has counted since its slot was given out. */
  listenerTotals(listener: number): ListenerTotals {
    const { accepted, bytesToBackend, bytesToClient, closed } = listenerFields;
    const sum = (field: number): number => this.listenerCounters.sum(listener, field);
    return {
      accepted: sum(accepted),
      bytesToBackend: sum(bytesToBackend),
      bytesToClient: sum(bytesToClient),
      closed: (reason) => sum(closed + reasons.indexOf(reason)),
    };
  }

  /** What a backend has counted since its slot was given out. */
  backendTotals(backend: number): BackendTotals {
    const { connections, failures, circuitOpened, bytesToBackend, bytesToClient, closed } = backendFields;
    const { firstBytes, firstByteMs } = backendFields;
    const sum = (field: number): number => this.backendCounters.sum(backend, field);
    return {
      connections: sum(connections),
      dialFailures: (why) => sum(failures + dialFailures.indexOf(why)),
      circuitOpened: sum(circuitOpened),
      bytesToBackend: sum(bytesToBackend),
      bytesToClient: sum(bytesToClient),
      firstBytes: sum(firstBytes),
      firstByteMs: sum(firstByteMs),
      closed: (reason) => sum(closed + servedReasons.indexOf(reason)),
    };
  }

  healthOf(backend: number): Health {
    return healthWords[Atomics.load(this.health, backend)] ?? 'unknown';
  }

  circuitOf(backend: number): CircuitState {
    return circuitWords[Atomics.load(this.circuit.state, backend)] ?? 'closed';
  }

  /**
   * Closes a breaker and forgets all that it has learned: what a dial from before shows no longer counts. Trials that
   * are under way are given back by whoever made them.
   */
  closeCircuit(backend: number): void {
    const { state, epoch, failuresInARow, sinceMs, untilMs, openForMs } = this.circuit;
    this.lock.acquire();
    for (const floats of [sinceMs, untilMs, openForMs]) floats[backend] = 0;
    for (const words of [failuresInARow, state]) Atomics.store(words, backend, 0);
    Atomics.add(epoch, backend, 1);
    this.lock.release();
  }

  /** Those who wait for a pool go from now on, the first at once. */
  beginRelease(pool: number, nowMs: number): void {
    this.lock.acquire();
    this.releases.tokens[pool] = 1;
    this.releases.filledMs[pool] = nowMs;
    this.lock.release();
  }

  /** Sessions accepted and not ended, those that are being refused among them. */
  openSessions(listener: number): number {
    const { accepted, closed } = this.listenerTotals(listener);
    return accepted - reasons.reduce((sum, reason) => sum + closed(reason), 0);
  }

  /** Opens a breaker by hand until `untilMs`: then a trial decides. What dials from before show no longer counts. */
  openCircuit(backend: number, nowMs: number, untilMs: number): void {
    const { state, epoch, failuresInARow, sinceMs, untilMs: ends } = this.circuit;
    this.lock.acquire();
    sinceMs[backend] = nowMs;
    ends[backend] = untilMs;
    Atomics.store(failuresInARow, backend, 0);
    Atomics.store(state, backend, circuitWords.indexOf('open'));
    Atomics.add(epoch, backend, 1);
    this.lock.release();
  }

  /**
   * A private ledger that says what this one says now, but for what was counted: to try things out on. It takes no
   * lock, so as to make no worker wait; what changes meanwhile is copied before or after. By default it takes 8 MB and
   * 3 to 5 ms.
   */
  draft(): Ledger {
    const capacity = { ...this.capacity, workers: 0 };
    const draft = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
    draft.#maker.copyFrom(this.#maker);
    return draft;
  }

  /** Makes a slot that nobody holds ready for its next owner. */
  clear(owner: Owner, slot: number): void {
    this.#maker.clear(owner, slot);
  }

  /**
   * Gives back all that a dead worker held, and its lock. What it counted has happened and stays; the sessions
   * that were open have ended with it, for want of a proxy: they count as `overloaded`.
   */
  releaseAllOf(worker: number): void {
    this.#maker.releaseAllOf(worker);
    const { listeners, backends } = this.capacity;
    const { accepted, closed } = listenerFields;
    closeAll(this.listenerCounters.partOf(worker), listeners, { began: accepted, closed, reasons });
    const { connections: began, closed: served } = backendFields;
    const ofBackends = { began, closed: served, reasons: servedReasons };
    closeAll(this.backendCounters.partOf(worker), backends, ofBackends);
  }
}

/** Counts as `overloaded` what has begun and was not closed. */
function closeAll(
  part: Counters,
  slots: number,
  fields: { readonly began: number; readonly closed: number; readonly reasons: readonly Reason[] },
): void {
  const { began, closed, reasons } = fields;
  for (let slot = 0; slot < slots; slot++) {
    const ended = reasons.reduce((sum, _, reason) => sum + part.sum(slot, closed + reason), 0);
    const open = part.sum(slot, began) - ended;
    if (open > 0) part.add(slot, closed + reasons.indexOf('overloaded'), open);
  }
}

export interface ListenerTotals {
  readonly accepted: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  closed(reason: Reason): number;
}

export interface BackendTotals {
  readonly connections: number;
  readonly circuitOpened: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  /** Sessions that got a first byte, and how long these took together, from dialed on. */
  readonly firstBytes: number;
  readonly firstByteMs: number;
  dialFailures(why: DialFailure): number;
  closed(reason: ServedReason): number;
}
