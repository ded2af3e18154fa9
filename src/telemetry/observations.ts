/**
 * What the main thread sees by itself, having no place in the ledger: checks, breakers, reloads, names, deaths of
 * workers. Times are milliseconds since 1970, since people and Prometheus ask for them.
 */
import type { Plan } from '../core/plan.ts';
import { ObservedNames } from './observed-names.ts';

export class Observations {
  readonly startedMs: number;
  readonly reloads = { success: 0, failure: 0 };
  /** An older configuration runs than the last one that was asked for. */
  lastReloadFailed = false;
  /** When the configuration that runs was loaded; that of the start counts as a reload. */
  lastReloadMs: number;
  /** Workers that have taken the place of dead ones. */
  workerRestarts = 0;
  readonly names = new ObservedNames();
  readonly #backends = new PlannedTable<ObservedBackend>(() => ({ ...unseen, checks: { pass: 0, fail: 0 } }));

  constructor(nowMs: number) {
    this.startedMs = nowMs;
    this.lastReloadMs = nowMs;
  }

  countReload(success: boolean, nowMs: number): void {
    this.reloads[success ? 'success' : 'failure']++;
    this.lastReloadFailed = !success;
    if (success) this.lastReloadMs = nowMs;
  }

  checked(pool: string, backend: string, check: LastCheck, plan: Plan): void {
    const seen = this.#backends.of(keyOf(pool, backend), plan);
    seen.checks[check.pass ? 'pass' : 'fail']++;
    seen.lastCheck = check;
  }

  /** `answer` is undefined where none came: the one before is kept. */
  agentAsked(pool: string, backend: string, agent: LastAgent, plan: Plan): void {
    const seen = this.#backends.of(keyOf(pool, backend), plan);
    seen.lastAgent = { ...agent, answer: agent.answer ?? seen.lastAgent?.answer };
  }

  circuitOpened(pool: string, backend: string, error: LastError, plan: Plan): void {
    this.#backends.of(keyOf(pool, backend), plan).lastError = error;
  }

  dialFailed(pool: string, backend: string, error: LastError, plan: Plan): void {
    this.#backends.of(keyOf(pool, backend), plan).lastDialError = error;
  }

  backend(pool: string, backend: string): Readonly<ObservedBackend> {
    return this.#backends.find(keyOf(pool, backend)) ?? unseen;
  }
}

export interface ObservedBackend {
  readonly checks: { pass: number; fail: number };
  lastCheck: LastCheck | undefined;
  /** What its agent was asked last, where it has one. */
  lastAgent: LastAgent | undefined;
  /** The error at which its breaker opened last. */
  lastError: LastError | undefined;
  /** The error of the last dial that failed; of those in one second, the first. */
  lastDialError: LastError | undefined;
}

export interface LastCheck {
  readonly atMs: number;
  readonly tookMs: number;
  readonly pass: boolean;
  /** A sentence for people: how long a pass took, or why it failed. */
  readonly detail: string;
}

export interface LastAgent {
  readonly atMs: number;
  /** The last line that it gave; undefined where it never did. */
  readonly answer: string | undefined;
  /** A sentence: why it did not answer the last time, or which word of the answer means nothing. */
  readonly problem: string | undefined;
}

export interface LastError {
  readonly atMs: number;
  /** The errno's name, or a sentence. */
  readonly error: string;
}

const unseen: ObservedBackend = {
  checks: { pass: 0, fail: 0 },
  lastCheck: undefined,
  lastAgent: undefined,
  lastError: undefined,
  lastDialError: undefined,
};

/** Something of each backend. The plan bounds it: the first that is new to it drives out those of the past. */
class PlannedTable<T> {
  readonly #fresh: () => T;
  readonly #rows = new Map<string, T>();
  /** The plan that the table was last cleared for. */
  #clearedFor: Plan | undefined;

  constructor(fresh: () => T) {
    this.#fresh = fresh;
  }

  of(key: string, plan: Plan): T {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    this.#makeRoom(plan);
    const made = this.#fresh();
    this.#rows.set(key, made);
    return made;
  }

  find(key: string): T | undefined {
    return this.#rows.get(key);
  }

  /** Once for each plan, and not for each backend: n of them would cost n times n. */
  #makeRoom(plan: Plan): void {
    if (this.#clearedFor === plan) return;
    this.#clearedFor = plan;
    const planned = plan.pools.flatMap(({ name, backends }) => backends.map((one) => keyOf(name, one.name)));
    const isPlanned = new Set(planned);
    for (const key of this.#rows.keys()) if (!isPlanned.has(key)) this.#rows.delete(key);
  }
}

function keyOf(pool: string, backend: string): string {
  return JSON.stringify([pool, backend]);
}
