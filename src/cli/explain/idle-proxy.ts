/** A proxy as a configuration would start it, with nothing of it running: for explaining. */
import { formatTarget } from '../../config/addresses.ts';
import type { Config, Target } from '../../config/config.ts';
import type { Endpoint } from '../../control/discovery/provider.ts';
import { Planner } from '../../control/planner.ts';
import { defaultCapacity, Ledger } from '../../core/ledger/ledger.ts';
import type { Plan } from '../../core/plan.ts';
import { UsageError } from '../exit-codes.ts';

/** Names are not resolved: each stands for one backend. Throws a UsageError where there is too much. */
export function idleProxy(config: Config): { readonly plan: Plan; readonly ledger: Ledger } {
  const capacity = { ...defaultCapacity, workers: 1, clients: 16 };
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
  try {
    return { plan: new Planner(ledger).plan(config, unresolved), ledger };
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function unresolved(target: Target): readonly Endpoint[] {
  const name = formatTarget(target);
  switch (target.kind) {
    case 'address':
      return [{ address: target.address }];
    case 'name':
    case 'srv':
      return [{ address: { host: target.name, port: 0 }, writtenAs: name }];
  }
}
