import type { Ledger } from '../core/ledger/ledger.ts';
import { type Reason, reasons } from '../core/reasons.ts';

/** What a listener has counted: accepted = active + the sum of closed, always. */
export interface ListenerCounts {
  readonly accepted: number;
  /** Sessions accepted and not ended; those that are just being refused are among them. */
  readonly active: number;
  readonly closed: ReadonlyMap<Reason, number>;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

/**
 * Reads a listener's numbers while workers go on counting. The active ones are those accepted but not closed,
 * and not the ledger's count of places taken, to which a client that is being refused does not belong.
 */
export function listenerCounts(ledger: Ledger, listener: number): ListenerCounts {
  // First what was closed, then what was accepted: the other way round, active could come out below zero.
  const totals = ledger.listenerTotals(listener);
  const closed = new Map(reasons.map((reason) => [reason, totals.closed(reason)]));
  const { accepted, bytesToBackend, bytesToClient } = ledger.listenerTotals(listener);
  const ended = [...closed.values()].reduce((sum, count) => sum + count, 0);
  return { accepted, active: accepted - ended, closed, bytesToBackend, bytesToClient };
}
