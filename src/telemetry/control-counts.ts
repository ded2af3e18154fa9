/** What the main thread counts by itself, having no place in the ledger: health checks and reloads. */
import type { Plan } from '../core/plan.ts';

export class ControlCounts {
  readonly reloads = { success: 0, failure: 0 };
  /** An older configuration runs than the last one that was asked for. */
  lastReloadFailed = false;
  /** Milliseconds since 1970; the configuration that the process started with counts as a reload. */
  lastReloadMs: number;
  readonly #healthChecks = new Map<string, CheckCounts>();
  /** The plan that the table was last cleared for. */
  #clearedFor: Plan | undefined;

  constructor(nowMs: number) {
    this.lastReloadMs = nowMs;
  }

  countReload(success: boolean, nowMs: number): void {
    this.reloads[success ? 'success' : 'failure']++;
    this.lastReloadFailed = !success;
    if (success) this.lastReloadMs = nowMs;
  }

  /** The plan bounds the table: the first backend that is new to it drives out those of the past. */
  countHealthCheck(pool: string, backend: string, pass: boolean, plan: Plan): void {
    const key = keyOf(pool, backend);
    let counts = this.#healthChecks.get(key);
    if (counts === undefined) {
      this.#makeRoom(plan);
      counts = { pass: 0, fail: 0 };
      this.#healthChecks.set(key, counts);
    }
    counts[pass ? 'pass' : 'fail']++;
  }

  healthChecks(pool: string, backend: string): CheckCounts {
    return this.#healthChecks.get(keyOf(pool, backend)) ?? { pass: 0, fail: 0 };
  }

  /** Once for each plan, and not for each backend: n of them would cost n times n. */
  #makeRoom(plan: Plan): void {
    if (this.#clearedFor === plan) return;
    this.#clearedFor = plan;
    const planned = plan.pools.flatMap(({ name, backends }) => backends.map((one) => keyOf(name, one.name)));
    const isPlanned = new Set(planned);
    for (const key of this.#healthChecks.keys()) if (!isPlanned.has(key)) this.#healthChecks.delete(key);
  }
}

interface CheckCounts {
  pass: number;
  fail: number;
}

function keyOf(pool: string, backend: string): string {
  return JSON.stringify([pool, backend]);
}
