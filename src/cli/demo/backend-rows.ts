import type { ControlPlane } from '../../control/control-plane.ts';
import type { CircuitState, Health } from '../../core/ledger/ledger.ts';

/** What there is to say of one backend. */
export interface BackendRow {
  readonly name: string;
  readonly health: Health;
  readonly circuit: CircuitState;
  readonly active: number;
  readonly served: number;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

export function backendRows({ plan, ledger }: ControlPlane): readonly BackendRow[] {
  return plan.pools.flatMap(({ backends }) =>
    backends.map(({ name, slot }) => {
      const { connections, bytesToBackend, bytesToClient } = ledger.backendTotals(slot);
      return {
        name,
        health: ledger.healthOf(slot),
        circuit: ledger.circuitOf(slot),
        active: ledger.backendActive.total(slot),
        served: connections,
        bytesToBackend,
        bytesToClient,
      };
    }),
  );
}
