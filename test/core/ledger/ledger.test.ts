import { setFlagsFromString } from 'node:v8';
import { describe, expect, it } from 'vitest';
import { Ledger, type LedgerCapacity } from '../../../src/core/ledger/ledger.ts';
import { dialFailures, reasons, servedReasons } from '../../../src/core/reasons.ts';
import { freshLedger, sharedLedgers } from '../harness.ts';

describe('Ledger', () => {
  it('has its areas at places that the engine knows: to look them up by name would cost each session a percent', () => {
    setFlagsFromString('--allow-natives-syntax');
    const hasFastProperties = new Function('object', 'return %HasFastProperties(object)');
    expect(hasFastProperties(freshLedger())).toBe(true);
  });

  it('has a counter of its own for every reason', () => {
    const ledger = freshLedger();
    ledger.countAccepted(1);
    ledger.countBytes(1, 2, 3, 4);
    ledger.sessionDuration.observe(1, 0);
    reasons.forEach((reason, index) => {
      for (let times = 0; times <= index; times++) ledger.countClosed(1, reason);
    });
    const totals = ledger.listenerTotals(1);
    expect(reasons.map((reason) => totals.closed(reason))).toEqual(reasons.map((_, index) => index + 1));
    expect([totals.accepted, totals.bytesToBackend, totals.bytesToClient]).toEqual([1, 3, 4]);
    expect(ledger.sessionDuration.read(1).counts.reduce((sum, count) => sum + count)).toBe(1);
  });

  it('has a counter of its own for every dial failure, and every end of a session at a backend', () => {
    const ledger = freshLedger();
    dialFailures.forEach((why, index) => {
      for (let times = 0; times <= index; times++) ledger.countDialFailure(1, why);
    });
    servedReasons.forEach((reason, index) => {
      for (let times = 0; times <= index; times++) ledger.countBackendClosed(1, reason);
    });
    // No session ends so that a backend has served.
    ledger.countBackendClosed(1, 'denied');
    ledger.countBytes(0, 1, 3, 4);
    ledger.countBackendConnection(1);
    for (let times = 0; times < 7; times++) ledger.countCircuitOpened(1);
    const totals = ledger.backendTotals(1);
    expect(dialFailures.map((why) => totals.dialFailures(why))).toEqual([1, 2, 3]);
    expect(servedReasons.map((reason) => totals.closed(reason))).toEqual(
      servedReasons.map((_, index) => index + 1),
    );
    expect([totals.connections, totals.circuitOpened]).toEqual([1, 7]);
    expect([totals.bytesToBackend, totals.bytesToClient]).toEqual([3, 4]);
  });

  it('keeps slots apart to the last one', () => {
    const ledger = freshLedger();
    const { listeners, pools, backends } = ledger.capacity;
    ledger.countClosed(listeners - 2, 'client-left');
    ledger.sessionDuration.observe(listeners - 2, 1e9);
    ledger.connectDuration.observe(pools - 2, 1e9);
    ledger.countDialFailure(backends - 2, 'connect-failed');
    expect(ledger.listenerTotals(listeners - 1).accepted).toBe(0);
    expect(ledger.connectDuration.read(pools - 1).counts).toSatisfy((counts: number[]) =>
      counts.every((c) => c === 0),
    );
    expect(ledger.backendTotals(backends - 1).connections).toBe(0);
    ledger.countDialFailure(backends - 1, 'connect-failed');
    expect(ledger.backendTotals(backends - 1).dialFailures('connect-failed')).toBe(1);
  });

  it('needs just the bytes that it lays out', () => {
    const small: LedgerCapacity = { workers: 1, listeners: 1, pools: 1, backends: 1, splits: 4, clients: 16 };
    const bytes = Ledger.byteLength(small);
    expect(() => new Ledger(new ArrayBuffer(bytes), small, 'main')).not.toThrow();
    expect(() => new Ledger(new ArrayBuffer(bytes - 64), small, 'main')).toThrow(RangeError);
  });

  it('is one table for all threads, the main one included', () => {
    const of: LedgerCapacity = { workers: 2, listeners: 1, pools: 1, backends: 2, splits: 4, clients: 16 };
    const buffer = new SharedArrayBuffer(Ledger.byteLength(of));
    const worker = new Ledger(buffer, of, 1);
    const main = new Ledger(buffer, of, 'main');
    worker.countAccepted(0);
    main.countAccepted(0);
    main.health[1] = 2;
    expect(main.listenerTotals(0).accepted).toBe(2);
    expect(worker.healthOf(1)).toBe('down');
    expect(() => new Ledger(buffer, of, 3)).toThrow(RangeError);
  });

  it('gives back what a dead worker held of everything, and breaks its lock', () => {
    const [dead, living] = pair();
    const held = [
      dead.listenerActive,
      dead.poolActive,
      dead.backendActive,
      dead.poolQueued,
      dead.circuit.trials,
      dead.clients.active,
    ];
    for (const counts of held) counts.tryTake(1, 9);
    dead.lock.acquire();
    living.backendActive.tryTake(1, 9);

    living.releaseAllOf(0);
    living.lock.acquire();
    living.lock.release();

    expect(held.map((counts) => counts.total(1))).toEqual([0, 0, 1, 0, 0, 0]);
  });

  it('counts the sessions that were open in a dead worker as closed, once', () => {
    const [dead, living] = pair();
    for (let session = 0; session < 5; session++) dead.countAccepted(1);
    dead.countClosed(1, 'finished');
    dead.countClosed(1, 'overloaded');
    for (let session = 0; session < 3; session++) living.countAccepted(1);

    living.releaseAllOf(0);
    living.releaseAllOf(0);

    const totals = living.listenerTotals(1);
    expect([totals.accepted, totals.closed('finished'), totals.closed('overloaded')]).toEqual([8, 1, 4]);
    expect(living.listenerTotals(0).closed('overloaded')).toBe(0);
  });

  it('counts those that a dead worker had at a backend as closed too', () => {
    const [dead, living] = pair();
    for (let session = 0; session < 3; session++) dead.countBackendConnection(2);
    dead.countBackendClosed(2, 'finished');
    living.countBackendConnection(2);
    living.releaseAllOf(0);
    living.releaseAllOf(0);
    const totals = living.backendTotals(2);
    expect([totals.connections, totals.closed('finished'), totals.closed('overloaded')]).toEqual([4, 1, 2]);
  });

  it('leaves the lock to a living worker when another dies', () => {
    const [dead, living] = pair();
    living.lock.acquire();
    dead.releaseAllOf(0);
    expect(lockWord(living)).not.toBe(0);
    living.lock.release();
    expect(lockWord(living)).toBe(0);
  });

  it('leaves the lock free while a worker is woken, which takes a system call', () => {
    const [one, other] = pair();
    other.wakeFds.set(1, 7);
    const seen: unknown[] = [];
    one.wakeFds.use(1, (fd) => seen.push(fd, lockWord(one)));
    expect(seen).toEqual([7, 0]);
  });

  it('has a worker that dies while it wakes another be in nobody’s way', () => {
    const [dead, living] = pair();
    living.wakeFds.set(1, 7);
    dead.wakeFds.use(1, () => {
      living.wakeFds.forget(0);
      living.wakeFds.set(1, undefined);
    });
    dead.wakeFds.use(1, () => expect.fail('It has none any more'));
  });

  it('clears a listener whole', () => {
    const ledger = freshLedger();
    for (const slot of [0, 1]) {
      ledger.listenerActive.tryTake(slot, 9);
      ledger.countAccepted(slot);
      ledger.buckets.tokens[slot] = 5;
      ledger.buckets.filledMs[slot] = 5;
    }
    ledger.clear('listeners', 0);
    const read = (slot: number) => [
      ledger.listenerActive.total(slot),
      ledger.listenerTotals(slot).accepted,
      ledger.buckets.tokens[slot],
      ledger.buckets.filledMs[slot],
    ];
    expect([read(0), read(1)]).toEqual([
      [0, 0, 0, 0],
      [1, 1, 5, 5],
    ]);
  });

  it('clears a pool whole', () => {
    const ledger = freshLedger();
    for (const slot of [0, 1]) {
      ledger.poolActive.tryTake(slot, 9);
      ledger.poolQueued.tryTake(slot, 9);
      ledger.connectDuration.observe(slot, 5);
    }
    ledger.clear('pools', 0);
    const read = (slot: number) => [
      ledger.poolActive.total(slot),
      ledger.poolQueued.total(slot),
      ledger.connectDuration.read(slot).sumMs,
    ];
    expect([read(0), read(1)]).toEqual([
      [0, 0, 0],
      [1, 1, 5],
    ]);
  });

  it('drafts a private ledger that says the same, and changes by itself', () => {
    const [ledger, other] = pair();
    const { circuit, turns, splitTurns, buckets } = other;
    const areas = (of: Ledger) => [
      ...[of.turns, of.splitTurns, of.health, of.recoveredMs, of.buckets.tokens, of.buckets.filledMs],
      ...[of.circuit.state, of.circuit.epoch, of.circuit.failuresInARow, of.circuit.untilMs],
      ...[of.circuit.openForMs, of.clients.tokens, of.clients.filledMs],
    ];
    const counts = (of: Ledger) => [
      of.listenerActive,
      of.poolActive,
      of.backendActive,
      of.poolQueued,
      of.circuit.trials,
      of.clients.active,
    ];
    areas(other).forEach((area, index) => {
      area[3] = index + 1;
    });
    counts(other).forEach((count, index) => {
      for (let times = 0; times <= index; times++) count.tryTake(3, 99);
    });
    const client = [0, 0, 0xffff, 7] as const;
    const place = other.clients.place(2, client);

    const draft = ledger.draft();
    expect(areas(draft).map((area) => area[3])).toEqual(areas(other).map((_, index) => index + 1));
    expect(counts(draft).map((count) => count.total(3))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(draft.clients.place(2, client)).toBe(place);

    for (const area of areas(draft)) area[3] = 0;
    for (const count of counts(draft)) count.tryTake(3, 99);
    expect([circuit.state[3], turns[3], splitTurns[3], buckets.tokens[3]].includes(0)).toBe(false);
    expect(counts(other).map((count) => count.total(3))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('clears a backend but for its epoch, so that outcomes from before do not count', () => {
    const ledger = freshLedger();
    const { state, failuresInARow, trials, untilMs, openForMs, epoch } = ledger.circuit;
    const words = [ledger.health, state, failuresInARow, ledger.recoveredMs, untilMs, openForMs, epoch];
    for (const slot of [0, 1]) {
      for (const area of words) area[slot] = 1;
      trials.tryTake(slot, 9);
      ledger.backendActive.tryTake(slot, 9);
      ledger.countBackendConnection(slot);
    }
    ledger.clear('backends', 0);
    const read = (slot: number) => [
      ...words.map((area) => area[slot]),
      trials.total(slot),
      ledger.backendActive.total(slot),
      ledger.backendTotals(slot).connections,
    ];
    expect(read(0)).toEqual([0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect(read(1)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });
});

/** The lock is the first thing that is laid out. */
function lockWord(ledger: Ledger): number {
  return new Int32Array(ledger.health.buffer, 0, 1)[0] ?? -1;
}

function pair(): readonly [Ledger, Ledger] {
  const [one, other] = sharedLedgers(2);
  if (one === undefined || other === undefined) throw new Error('Expected two ledgers');
  return [one, other];
}
