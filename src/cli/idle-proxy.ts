/** A proxy that only thinks: what a configuration would start, with nothing of it running. */
import { formatTarget } from '../config/addresses.ts';
import type { Config, Target } from '../config/config.ts';
import type { TargetAddress } from '../control/discovery/provider.ts';
import { expand, Planner } from '../control/planner.ts';
import { defaultCapacity, Ledger } from '../core/ledger/ledger.ts';
import type { Plan } from '../core/plan.ts';
import { UsageError } from './command.ts';

/**
 * Its plan, and the ledger that the plan has places in. Names are not resolved: each stands for one backend. Throws a
 * UsageError where there is too much.
 */
export function idleProxy(config: Config): { readonly plan: Plan; readonly ledger: Ledger } {
  const capacity = { ...defaultCapacity, workers: 1, clients: 16 };
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
  try {
    return { plan: new Planner(ledger).plan(config, expand(config, unresolved)), ledger };
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message) : error;
  }
}

function unresolved(target: Target): readonly TargetAddress[] {
  if (target.kind === 'address') return [{ address: target.address }];
  return [{ address: { host: target.name, port: 0 }, writtenAs: formatTarget(target) }];
}
