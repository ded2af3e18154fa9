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

  /** Gives all of these names slots, and lets go of those used before. Throws where there are too many. */
  assign(names: readonly string[]): ReadonlyMap<string, number> {
    const inUse = new Set(names);
    const fresh = names.filter((name) => !this.#slotOf.has(name));
    for (const name of fresh) {
      const slot = this.#slotOf.size < this.#capacity ? this.#slotOf.size : this.#reclaim(inUse);
      this.#slotOf.set(name, slot);
    }
    for (const name of this.#inUse) if (!inUse.has(name)) this.#moveToEnd(name);
    this.#inUse = inUse;
    return new Map(names.map((name) => [name, this.#slotOf.get(name) ?? 0]));
  }

  #reclaim(needed: ReadonlySet<string>): number {
    for (const [name, slot] of this.#slotOf) {
      // What is in use now may not be after this assignment, but sessions may still come to it until then.
      if (needed.has(name) || this.#inUse.has(name) || this.#isHeld(slot)) continue;
      this.#slotOf.delete(name);
      this.#clear(slot);
      return slot;
    }
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
