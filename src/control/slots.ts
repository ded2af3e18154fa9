/**
 * Gives names their slots in the ledger, stable over reloads. A slot whose name is gone keeps its numbers until
 * another name needs it: the one that went first and that nobody holds any more is cleared and given away.
 */
export class Slots {
  readonly #kind: string;
  readonly #capacity: number;
  readonly #isHeld: (slot: number) => boolean;
  readonly #clear: (slot: number) => void;
  /** In the order of their last use: those that went first come first. */
  readonly #slotOf = new Map<string, number>();
  #inUse: ReadonlySet<string> = new Set();

  /** `kind` is what people call the things that have slots here, in the plural. */
  constructor(
    kind: string,
    capacity: number,
    { isHeld, clear }: { isHeld: (slot: number) => boolean; clear: (slot: number) => void },
  ) {
    this.#kind = kind;
    this.#capacity = capacity;
    this.#isHeld = isHeld;
    this.#clear = clear;
  }

  /**
   * Works out slots for all of these names. Nothing changes before `commit`, which gives them out and lets go of the
   * names used before. Throws where there are too many.
   */
  assign(names: readonly string[]): Assignment {
    const inUse = new Set(names);
    const fresh = [...inUse].filter((name) => !this.#slotOf.has(name));
    const unused = Math.min(fresh.length, this.#capacity - this.#slotOf.size);
    const reclaimed = this.#reclaimable(inUse, fresh.length - unused);
    const added = fresh.map((name, index) => {
      const slot = index < unused ? this.#slotOf.size + index : reclaimed[index - unused]?.[1];
      return [name, slot ?? 0] as const;
    });
    const slots = new Map([...this.#slotOf, ...added].filter(([name]) => inUse.has(name)));
    return { slots, commit: () => this.#commit(inUse, added, reclaimed) };
  }

  #commit(inUse: ReadonlySet<string>, added: readonly Assigned[], reclaimed: readonly Assigned[]): void {
    for (const [name, slot] of reclaimed) {
      this.#slotOf.delete(name);
      this.#clear(slot);
    }
    for (const [name, slot] of added) this.#slotOf.set(name, slot);
    for (const name of this.#inUse) if (!inUse.has(name)) this.#moveToEnd(name);
    this.#inUse = inUse;
  }

  /** The first so many whose names are gone and that nobody holds. */
  #reclaimable(needed: ReadonlySet<string>, count: number): readonly Assigned[] {
    // What is in use now may not be after this assignment, but sessions may still come to it until then.
    const isFree = ([name, slot]: Assigned): boolean =>
      !needed.has(name) && !this.#inUse.has(name) && !this.#isHeld(slot);
    const free = count === 0 ? [] : [...this.#slotOf].filter(isFree).slice(0, count);
    if (free.length === count) return free;
    throw new RangeError(
      `Expected at most ${this.#capacity} ${this.#kind}, those of the last reload included`,
    );
  }

  #moveToEnd(name: string): void {
    const slot = this.#slotOf.get(name);
    if (slot === undefined) return;
    this.#slotOf.delete(name);
    this.#slotOf.set(name, slot);
  }
}

/** What names would have, and how to make it so. */
export interface Assignment {
  readonly slots: ReadonlyMap<string, number>;
  commit(): void;
}

type Assigned = readonly [name: string, slot: number];
