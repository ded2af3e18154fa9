/**
 * The numbers that all threads share: typed arrays over one buffer, a SharedArrayBuffer when there are
 * threads. What limits are judged by is changed with Atomics or under the lock and is exact with any number
 * of workers; what is only summed has a stripe for each worker. Workers and the main thread each make a
 * Ledger of their own over the same buffer. Pages never touched cost no memory, so capacities are generous.
 */
import { type DialFailure, dialFailures, type Reason, reasons } from '../reasons.ts';
import { ClientTable } from './client-table.ts';
import { Counters } from './counters.ts';
import { Histogram } from './histogram.ts';
import { SpinLock } from './lock.ts';
import { QueueTickets } from './queue-tickets.ts';
import { type SharedArea, SharedCounts } from './shared-counts.ts';

export interface LedgerCapacity {
  readonly workers: number;
  readonly listeners: number;
  readonly pools: number;
  readonly backends: number;
  /** Routes that spread sessions over pools. */
  readonly splits: number;
  /** Clients with a limit of their own that can be told apart at once. */
  readonly clients: number;
}

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

export class Ledger {
  /** Bytes that a ledger of this capacity needs. */
  static byteLength(capacity: LedgerCapacity): number {
    const carver = new Carver();
    layOut(carver, capacity);
    return carver.byteLength;
  }

  readonly capacity: LedgerCapacity;
  /** Guards the floats below, the breakers' transitions and the client table. */
  readonly lock: SpinLock;
  /** Sessions accepted and not ended, by listener. */
  readonly listenerActive: SharedCounts;
  /** Leases, by pool and by backend. */
  readonly poolActive: SharedCounts;
  readonly backendActive: SharedCounts;
  /** Sessions in a pool's queue. */
  readonly poolQueued: SharedCounts;
  readonly queueTickets: QueueTickets;
  /** Turns taken in round robin, by pool: among its primaries at 2 × slot, among its backups at the next. */
  readonly turns: Int32Array;
  /** Turns taken among the pools of a split. */
  readonly splitTurns: Int32Array;
  readonly clients: ClientTable;
  /** A listener's token bucket: what is in it, and as of when. `NaN`-free: a fresh slot is marked by filledMs 0. */
  readonly buckets: { readonly tokens: Float64Array; readonly filledMs: Float64Array };
  /** By backend: an index into `healthWords`, and since when it is up after having been down (0: never was). */
  readonly health: Int32Array;
  readonly recoveredMs: Float64Array;
  /** By backend: an index into `circuitWords`, the epoch of that state, and what the state needs. */
  readonly circuit: {
    readonly state: Int32Array;
    readonly epoch: Int32Array;
    readonly failuresInARow: Int32Array;
    readonly trials: SharedCounts;
    readonly untilMs: Float64Array;
    readonly openForMs: Float64Array;
  };
  readonly sessionDuration: Histogram;
  readonly connectDuration: Histogram;

  readonly #listenerCounters: Counters;
  readonly #poolCounters: Counters;
  readonly #backendCounters: Counters;

  /** `thread` is a worker's number from 0 on, or `main`, which reads, writes health and clears slots. */
  constructor(buffer: ArrayBuffer | SharedArrayBuffer, capacity: LedgerCapacity, thread: number | 'main') {
    const areas = layOut(new Carver(buffer), capacity);
    const own = thread === 'main' ? capacity.workers : thread;
    const counts = (area: SharedArea): SharedCounts => new SharedCounts(area, stripe(area.shares, own));
    const counters = (stripes: readonly Float64Array[], width: number): Counters =>
      new Counters(stripes, stripe(stripes, own), width);

    this.capacity = capacity;
    this.lock = new SpinLock(areas.lock, own + 1);
    this.listenerActive = counts(areas.listenerActive);
    this.poolActive = counts(areas.poolActive);
    this.backendActive = counts(areas.backendActive);
    this.poolQueued = counts(areas.poolQueued);
    this.queueTickets = new QueueTickets(areas.queueTickets, stripe(areas.queueTickets.shown, own));
    this.turns = areas.turns;
    this.splitTurns = areas.splitTurns;
    this.clients = new ClientTable(areas.clients, counts(areas.clients.active));
    this.buckets = areas.buckets;
    this.health = areas.health;
    this.recoveredMs = areas.recoveredMs;
    this.circuit = { ...areas.circuit, trials: counts(areas.circuit.trials) };
    this.#listenerCounters = counters(areas.listenerCounters, listenerWidth);
    this.#poolCounters = counters(areas.poolCounters, poolWidth);
    this.#backendCounters = counters(areas.backendCounters, backendWidth);
    this.sessionDuration = new Histogram(this.#listenerCounters, listenerFields.duration, sessionEdgesMs);
    this.connectDuration = new Histogram(this.#poolCounters, 0, connectEdgesMs);
  }

  countAccepted(listener: number): void {
    this.#listenerCounters.add(listener, listenerFields.accepted, 1);
  }

  countBytes(listener: number, toBackend: number, toClient: number): void {
    if (toBackend > 0) this.#listenerCounters.add(listener, listenerFields.bytesToBackend, toBackend);
    if (toClient > 0) this.#listenerCounters.add(listener, listenerFields.bytesToClient, toClient);
  }

  countClosed(listener: number, reason: Reason): void {
    this.#listenerCounters.add(listener, listenerFields.closed + reasons.indexOf(reason), 1);
  }

  countBackendConnection(backend: number): void {
    this.#backendCounters.add(backend, backendFields.connections, 1);
  }

  /** What a session has moved through a backend, once it is over. */
  countBackendBytes(backend: number, toBackend: number, toClient: number): void {
    this.#backendCounters.add(backend, backendFields.bytesToBackend, toBackend);
    this.#backendCounters.add(backend, backendFields.bytesToClient, toClient);
  }

  countDialFailure(backend: number, why: DialFailure): void {
    this.#backendCounters.add(backend, backendFields.failures + dialFailures.indexOf(why), 1);
  }

  countCircuitOpened(backend: number): void {
    this.#backendCounters.add(backend, backendFields.circuitOpened, 1);
  }

  /** What a listener has counted since its slot was given out. */
  listenerTotals(listener: number): ListenerTotals {
    const { accepted, bytesToBackend, bytesToClient, closed } = listenerFields;
    const sum = (field: number): number => this.#listenerCounters.sum(listener, field);
    return {
      accepted: sum(accepted),
      bytesToBackend: sum(bytesToBackend),
      bytesToClient: sum(bytesToClient),
      closed: (reason) => sum(closed + reasons.indexOf(reason)),
    };
  }

  /** What a backend has counted since its slot was given out. */
  backendTotals(backend: number): BackendTotals {
    const { connections, failures, circuitOpened, bytesToBackend, bytesToClient } = backendFields;
    const sum = (field: number): number => this.#backendCounters.sum(backend, field);
    return {
      connections: sum(connections),
      dialFailures: (why) => sum(failures + dialFailures.indexOf(why)),
      circuitOpened: sum(circuitOpened),
      bytesToBackend: sum(bytesToBackend),
      bytesToClient: sum(bytesToClient),
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
    const { state, epoch, failuresInARow, untilMs, openForMs } = this.circuit;
    this.lock.acquire();
    for (const floats of [untilMs, openForMs]) floats[backend] = 0;
    for (const words of [failuresInARow, state]) Atomics.store(words, backend, 0);
    Atomics.add(epoch, backend, 1);
    this.lock.release();
  }

  /** Sessions accepted and not ended, those that are being refused among them. */
  openSessions(listener: number): number {
    const { accepted, closed } = this.listenerTotals(listener);
    return accepted - reasons.reduce((sum, reason) => sum + closed(reason), 0);
  }

  /**
   * A private ledger that says what this one says now, but for what was counted: to try things out on. It takes
   * no lock, so as to make no worker wait; what changes meanwhile is copied before or after. By default it takes 8 MB and 3 to 5 ms.
   */
  draft(): Ledger {
    const capacity = { ...this.capacity, workers: 0 };
    const draft = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
    const { trials, ...circuit } = draft.circuit;
    for (const name of ['listenerActive', 'poolActive', 'backendActive', 'poolQueued'] as const)
      draft[name].imitate(this[name]);
    for (const name of ['turns', 'splitTurns', 'health'] as const) draft[name].set(this[name]);
    draft.recoveredMs.set(this.recoveredMs);
    draft.buckets.tokens.set(this.buckets.tokens);
    draft.buckets.filledMs.set(this.buckets.filledMs);
    trials.imitate(this.circuit.trials);
    circuit.state.set(this.circuit.state);
    circuit.epoch.set(this.circuit.epoch);
    circuit.failuresInARow.set(this.circuit.failuresInARow);
    circuit.untilMs.set(this.circuit.untilMs);
    circuit.openForMs.set(this.circuit.openForMs);
    draft.clients.imitate(this.clients);
    return draft;
  }

  clearListener(slot: number): void {
    this.listenerActive.clear(slot);
    this.#listenerCounters.clear(slot);
    this.buckets.tokens[slot] = 0;
    this.buckets.filledMs[slot] = 0;
  }

  clearPool(slot: number): void {
    this.poolActive.clear(slot);
    this.poolQueued.clear(slot);
    this.queueTickets.clear(slot);
    this.turns.fill(0, slot * 2, slot * 2 + 2);
    this.#poolCounters.clear(slot);
  }

  clearSplit(slot: number): void {
    this.splitTurns[slot] = 0;
  }

  clearBackend(slot: number): void {
    this.backendActive.clear(slot);
    this.#backendCounters.clear(slot);
    const { state, failuresInARow, trials, untilMs, openForMs } = this.circuit;
    trials.clear(slot);
    for (const words of [this.health, state, failuresInARow]) Atomics.store(words, slot, 0);
    for (const floats of [this.recoveredMs, untilMs, openForMs]) floats[slot] = 0;
  }

  /**
   * Gives back all that a dead worker held, and its lock. What it counted has happened and stays; the sessions
   * that were open have ended with it, for want of a proxy: they count as `overloaded`.
   */
  releaseAllOf(worker: number): void {
    this.lock.breakFor(worker + 1);
    const held = [this.listenerActive, this.poolActive, this.backendActive, this.poolQueued];
    for (const counts of [...held, this.circuit.trials, this.clients.active]) counts.releaseAllOf(worker);
    this.queueTickets.releaseAllOf(worker);

    const { accepted, closed } = listenerFields;
    const part = this.#listenerCounters.partOf(worker);
    for (let listener = 0; listener < this.capacity.listeners; listener++) {
      const ended = reasons.reduce((sum, _, reason) => sum + part.sum(listener, closed + reason), 0);
      const open = part.sum(listener, accepted) - ended;
      if (open > 0) part.add(listener, closed + reasons.indexOf('overloaded'), open);
    }
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
  /** Of sessions that are over. */
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
  dialFailures(why: DialFailure): number;
}

const sessionEdgesMs = [5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 1.8e6, 3.6e6];
const connectEdgesMs = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3];

const listenerFields = {
  accepted: 0,
  bytesToBackend: 1,
  bytesToClient: 2,
  closed: 3,
  duration: 3 + reasons.length,
};
const listenerWidth = listenerFields.duration + Histogram.width(sessionEdgesMs);
const poolWidth = Histogram.width(connectEdgesMs);
const backendFields = { connections: 0, circuitOpened: 1, bytesToBackend: 2, bytesToClient: 3, failures: 4 };
const backendWidth = backendFields.failures + dialFailures.length;

/** Where everything lies. The main thread has a stripe too, the last, so that whoever counts may. */
function layOut(carve: Carver, { workers, listeners, pools, backends, splits, clients }: LedgerCapacity) {
  const stripes = Array.from({ length: workers + 1 });
  const shared = (slots: number): SharedArea => ({
    totals: carve.int32(slots),
    shares: stripes.map(() => carve.int32(slots)),
  });
  const striped = (length: number): readonly Float64Array[] => stripes.map(() => carve.float64(length));
  return {
    lock: carve.int32(1),
    listenerActive: shared(listeners),
    poolActive: shared(pools),
    poolQueued: shared(pools),
    queueTickets: { drawn: carve.int32(pools), shown: stripes.map(() => carve.int32(pools)) },
    turns: carve.int32(pools * 2),
    splitTurns: carve.int32(splits),
    backendActive: shared(backends),
    buckets: { tokens: carve.float64(listeners), filledMs: carve.float64(listeners) },
    health: carve.int32(backends),
    recoveredMs: carve.float64(backends),
    circuit: {
      state: carve.int32(backends),
      epoch: carve.int32(backends),
      failuresInARow: carve.int32(backends),
      trials: shared(backends),
      untilMs: carve.float64(backends),
      openForMs: carve.float64(backends),
    },
    clients: {
      keys: carve.int32(clients * 5),
      heads: carve.int32(clients),
      next: carve.int32(clients),
      state: carve.int32(ClientTable.stateWords),
      active: shared(clients),
      tokens: carve.float64(clients),
      filledMs: carve.float64(clients),
    },
    listenerCounters: striped(listeners * listenerWidth),
    poolCounters: striped(pools * poolWidth),
    backendCounters: striped(backends * backendWidth),
  };
}

/** Cuts typed arrays off a buffer one after the other; without a buffer, it only measures. */
class Carver {
  byteLength = 0;
  readonly #buffer: ArrayBuffer | SharedArrayBuffer | undefined;

  constructor(buffer?: ArrayBuffer | SharedArrayBuffer) {
    this.#buffer = buffer;
  }

  int32(length: number): Int32Array {
    const offset = this.#advance(length * 4);
    return this.#buffer === undefined ? new Int32Array(0) : new Int32Array(this.#buffer, offset, length);
  }

  float64(length: number): Float64Array {
    const offset = this.#advance(length * 8);
    return this.#buffer === undefined ? new Float64Array(0) : new Float64Array(this.#buffer, offset, length);
  }

  /** Each area starts on a cache line of its own, so that threads don't slow each other down at the seams. */
  #advance(bytes: number): number {
    const offset = this.byteLength;
    this.byteLength += Math.ceil(bytes / 64) * 64;
    return offset;
  }
}

function stripe<T>(stripes: readonly T[], index: number): T {
  const found = stripes[index];
  if (found === undefined) throw new RangeError(`The ledger has no stripe ${index}`);
  return found;
}
