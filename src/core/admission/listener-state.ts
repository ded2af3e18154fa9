import type { ListenerPlan, PoolSlot } from '../plan.ts';
import type { Router } from '../router.ts';

/** A listener by one plan, the router of its routes, and the pools that these mean. */
export interface ListenerState {
  readonly plan: ListenerPlan;
  readonly router: Router;
  /** A slot may be given to another pool while a client is admitted. */
  readonly poolNames: ReadonlyMap<PoolSlot, string>;
}
