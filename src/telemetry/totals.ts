import type { Ledger } from '../core/ledger/ledger.ts';

/** What all listeners have counted since the process started; a name that was given up and cleared is left out. */
export interface Totals {
  readonly sessions: number;
  /** Those that were cut at the end of a drain, or as the process was ended at once. */
  readonly cut: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export function totalsOf(ledger: Ledger): Totals {
  const listeners = Array.from({ length: ledger.capacity.listeners }, (_, slot) =>
    ledger.listenerTotals(slot),
  );
  const sum = (of: (totals: (typeof listeners)[number]) => number): number =>
    listeners.reduce((total, one) => total + of(one), 0);
  return {
    sessions: sum(({ accepted }) => accepted),
    cut: sum(({ closed }) => closed('drain-timeout')),
    bytesToBackend: sum(({ bytesToBackend }) => bytesToBackend),
    bytesToClient: sum(({ bytesToClient }) => bytesToClient),
  };
}
