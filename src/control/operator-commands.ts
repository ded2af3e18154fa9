/**
 * What operators change at run time. Each fulfils once workers are told of it; each throws or rejects with an
 * UnknownName where there is no such thing, a patch with a StaleRevision where that is another than the one given, and
 * all with NotServing where the proxy stops.
 */
import type { Accept } from '../core/admin-state.ts';
import type { Ledger } from '../core/ledger/ledger.ts';
import { monotonicMs } from '../dataplane/clock.ts';
import type { Administration, PoolPatch } from './administration.ts';
import type { Changeover } from './changeover.ts';
import { type Lifecycle, NotServing } from './lifecycle.ts';
import type { BackendName, BackendPatch, Mark, Override } from './overrides.ts';
import type { Reporter } from './reporter.ts';
import type { RunningPlan } from './running-plan.ts';
import type { WorkerGroups } from './workers/worker-groups.ts';

export interface OperatorCommandsDeps {
  readonly lifecycle: Lifecycle;
  readonly administration: Administration;
  readonly changeover: Pick<Changeover, 'administer'>;
  readonly runningPlan: RunningPlan;
  readonly ledger: Ledger;
  readonly groups: WorkerGroups;
  readonly reporter: Reporter;
}

export class OperatorCommands {
  readonly #deps: OperatorCommandsDeps;

  constructor(deps: OperatorCommandsDeps) {
    this.#deps = deps;
  }

  patchBackend(name: BackendName, patch: BackendPatch, mark: Mark, revision?: string): Promise<void> {
    const { administration, changeover } = this.#deps;
    return changeover.administer(() => administration.patch(name, patch, mark, revision));
  }

  patchPool(name: string, patch: PoolPatch, mark: Mark, revision?: string): Promise<void> {
    const { administration, changeover } = this.#deps;
    return changeover.administer(() => administration.patchPool(name, patch, mark, revision));
  }

  /** Rejects with a BindError where it can't listen; then nothing has changed. */
  patchListener(name: string, accept: Accept | null, mark: Mark, revision?: string): Promise<void> {
    const { lifecycle, administration, changeover } = this.#deps;
    if (lifecycle.closed.aborted) return Promise.reject(NotServing.stopping);
    let before: readonly Override[] = [];
    return changeover.administer(
      () => {
        before = administration.overrides;
        administration.patchListener(name, accept, mark, revision);
      },
      () => administration.restore(before),
    );
  }

  /** Goes back to the configuration for one backend, or for everything. */
  resetOverrides(name: BackendName | undefined, mark: Mark): Promise<void> {
    const { administration, changeover } = this.#deps;
    return changeover.administer(() => administration.reset(name, mark));
  }

  /** Opens or closes a breaker by hand; false where the pool has none. An opening ends after so long, by a trial. */
  setCircuit(name: BackendName, to: 'closed' | 'open', openForMs: number): boolean {
    const { lifecycle, administration, runningPlan, ledger, groups, reporter } = this.#deps;
    if (lifecycle.hasStopped) throw NotServing.stopping;
    const addresses = administration.addressesOf(name.backend, name.pool);
    const pool = runningPlan.plan.pools.find((one) => one.name === name.pool);
    if (pool === undefined || pool.policy.circuitBreaker === 'off') return false;
    const nowMs = monotonicMs();
    for (const { name: backend, slot } of pool.backends) {
      if (!addresses.includes(backend)) continue;
      if (to === 'closed') ledger.closeCircuit(slot);
      else ledger.openCircuit(slot, nowMs, nowMs + openForMs);
      reporter.circuitSet({ pool: pool.name, backend }, to);
    }
    groups.broadcast({ kind: 'woken' });
    return true;
  }
}
