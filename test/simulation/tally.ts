import { must } from './violation.ts';

/** Counts of what is held now, by slot or name. */
export class Tally<Key> {
  readonly #counts = new Map<Key, number>();

  of(key: Key): number {
    return this.#counts.get(key) ?? 0;
  }

  add(key: Key): void {
    this.#counts.set(key, this.of(key) + 1);
  }

  remove(key: Key): void {
    must(this.of(key) > 0, () => `${String(key)} is given back more often than taken`);
    this.#counts.set(key, this.of(key) - 1);
  }

  keys(): Iterable<Key> {
    return this.#counts.keys();
  }

  clear(): void {
    this.#counts.clear();
  }

  get sum(): number {
    let sum = 0;
    for (const count of this.#counts.values()) sum += count;
    return sum;
  }
}
