/** THE TABLE of what all threads share. A number that is added here is cleared, given back and copied by itself. */
import { dialFailures, reasons, servedReasons } from '../reasons.ts';
import type { AreaMaker } from './area-maker.ts';
import { Histogram } from './histogram.ts';

export type Areas = ReturnType<typeof makeAreas>;

export function makeAreas(make: AreaMaker) {
  // First of all: what a dead worker held is given back once its lock is broken.
  const lock = make.lock();
  const listenerCounters = make.counters('listeners', listenerWidth);
  return {
    /** Guards the floats below, the breakers' transitions and the client table. */
    lock,
    wakeFds: make.wakeFds(),
    /** For how many of its clients a dial is to come, by worker: descriptors that accepting must leave. */
    owedDials: make.wordOfEach(),
    /** The bytes in the buffers of a worker's driver, by worker: a part of what peers can make all hold. */
    bufferBytes: make.floatOfEach(),
    /** How long the last answer of a worker took, and when it had been asked, by worker: see `lag.ts`. */
    lag: { tookMs: make.floatOfEach(), askedMs: make.floatOfEach() },

    /** Since when lines of its log wait to be sent, in milliseconds since 1970, by worker; 0: none does. */
    unsentLinesMs: make.floatOfEach(),
    /** Log lines that workers have left out, all in the first slot. */
    linesLeftOut: make.counters('workers', 1),

    /** Sessions accepted and not ended, by listener. */
    listenerActive: make.counts('listeners'),
    /** A listener's token bucket: what is in it, and as of when; 0 marks one that was never used. */
    buckets: { tokens: make.floats('listeners'), filledMs: make.floats('listeners') },
    listenerCounters,
    sessionDuration: new Histogram(listenerCounters, listenerFields.duration, sessionEdgesMs),
    clients: make.clients(),

    /** Leases, by pool. */
    poolActive: make.counts('pools'),
    /** Sessions in a pool's queue. */
    poolQueued: make.counts('pools'),
    queueTickets: make.tickets('pools'),
    /** The token bucket by which a pool that was held is released, as `buckets`. */
    releases: { tokens: make.floats('pools'), filledMs: make.floats('pools') },
    /** Turns taken in round robin: among a pool's primaries at 2 × slot, among its backups at the next. */
    turns: make.words('pools', 2),
    /** How long dials took that succeeded. */
    connectDuration: make.histogram('pools', connectEdgesMs),
    /** From dialed to the first byte of the backend. */
    firstByte: make.histogram('pools', firstByteEdgesMs),
    /** Further dials, after the first of a session. */
    dialRetries: make.counters('pools', 1),
    /** How long those were in the queue that have left it, to whatever end. */
    queueWait: make.histogram('pools', queueEdgesMs),
    /** How long checks took, whatever they found. */
    checkDuration: make.histogram('pools', connectEdgesMs),
    /** How long backends served sessions: from dialed to the end of both links. */
    servedDuration: make.histogram('pools', sessionEdgesMs),

    /** Turns taken among the pools of a split. */
    splitTurns: make.words('splits'),

    /** Leases, by backend. */
    backendActive: make.counts('backends'),
    backendCounters: make.counters('backends', backendWidth),
    /** Since when the plan has it, and in the state that it has now. */
    plannedMs: make.floats('backends'),
    stateSinceMs: make.floats('backends'),
    /** Until when the certificate is good that it has shown last, in milliseconds since 1970; 0: it has shown none. */
    certificateNotAfterMs: make.floats('backends'),
    /**
     * An index into `healthWords`, since when (0: since it is planned), and since when it is up after having been down
     * (0: never was).
     */
    health: make.words('backends'),
    healthSinceMs: make.floats('backends'),
    recoveredMs: make.floats('backends'),
    /** A breaker: an index into `circuitWords`, the epoch of that state, and what the state needs. */
    circuit: {
      state: make.words('backends'),
      epoch: make.lastingWords('backends'),
      failuresInARow: make.words('backends'),
      trials: make.counts('backends'),
      /** When the state was entered; 0 where it is the first. */
      sinceMs: make.floats('backends'),
      untilMs: make.floats('backends'),
      openForMs: make.floats('backends'),
    },
  };
}

const sessionEdgesMs = [5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4, 3e5, 1.8e6, 3.6e6];
const connectEdgesMs = [0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3];
const firstByteEdgesMs = [1, 5, 10, 25, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4];
const queueEdgesMs = [1, 5, 10, 50, 100, 250, 500, 1e3, 2.5e3, 5e3, 1e4, 3e4, 6e4];

/** Where a listener's counters stand; `closed` is one for each reason. */
export const listenerFields = {
  accepted: 0,
  bytesToBackend: 1,
  bytesToClient: 2,
  closed: 3,
  duration: 3 + reasons.length,
};
const listenerWidth = listenerFields.duration + Histogram.width(sessionEdgesMs);

/** Where a backend's counters stand: `failures` has one for each way in which a dial fails, `closed` one a reason. */
export const backendFields = {
  connections: 0,
  circuitOpened: 1,
  bytesToBackend: 2,
  bytesToClient: 3,
  /** How many sessions got a first byte of it, and how long these took together. */
  firstBytes: 4,
  firstByteMs: 5,
  failures: 6,
  closed: 6 + dialFailures.length,
};
const backendWidth = backendFields.closed + servedReasons.length;
