/** How names of backends resolve: for each name, and counted for the pools that have it. */

export interface ObservedName {
  readonly name: string;
  /** When all was well last, in milliseconds since 1970. */
  readonly lastSuccessMs: number | undefined;
  /** What was wrong in the last lookup; undefined where nothing was. */
  readonly problem: string | undefined;
}

export class ObservedNames {
  #byPool: ReadonlyMap<string, readonly string[]> = new Map();
  readonly #names = new Map<string, ObservedName>();
  readonly #failures = new Map<string, number>();

  /** The names of each pool from now on; all else is forgotten. */
  follow(byPool: ReadonlyMap<string, readonly string[]>): void {
    this.#byPool = byPool;
    const wanted = new Set([...byPool.values()].flat());
    for (const name of this.#names.keys()) if (!wanted.has(name)) this.#names.delete(name);
    for (const pool of this.#failures.keys()) if (!byPool.has(pool)) this.#failures.delete(pool);
  }

  lookedUp(name: string, problem: string | undefined, nowMs: number): void {
    const lastSuccessMs = problem === undefined ? nowMs : this.#names.get(name)?.lastSuccessMs;
    this.#names.set(name, { name, lastSuccessMs, problem });
    if (problem === undefined) return;
    for (const [pool, names] of this.#byPool)
      if (names.includes(name)) this.#failures.set(pool, (this.#failures.get(pool) ?? 0) + 1);
  }

  /** Those of a pool, in the order of the file. */
  of(pool: string): readonly ObservedName[] {
    return (this.#byPool.get(pool) ?? []).map(
      (name) => this.#names.get(name) ?? { name, lastSuccessMs: undefined, problem: undefined },
    );
  }

  failures(pool: string): number {
    return this.#failures.get(pool) ?? 0;
  }
}
