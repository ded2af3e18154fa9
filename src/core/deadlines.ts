/** Something that is due at a time; the heap keeps its place in it. */
export interface Due {
  heapIndex: number;
}

/**
 * What is due next: a binary heap whose members know their place, so that moving or removing one costs
 * O(log n). An item that is not in the heap has heapIndex -1. One that is put off stays where it is until it
 * comes up: most deadlines are put off, or their sessions end, before that.
 */
export class Deadlines<T extends Due> {
  readonly #heap: T[] = [];
  // Of each item, by its place: a time takes 8 bytes here, 24 as the item's field.
  /** When it is due. */
  readonly #duesMs: number[] = [];
  /** At which time it stands in the heap, never later than it is due. */
  readonly #timesMs: number[] = [];

  get nextMs(): number | undefined {
    return this.#first() && this.#duesMs[0];
  }

  /** `Infinity` where it never is. */
  dueMsOf({ heapIndex }: T): number {
    return (heapIndex === -1 ? undefined : this.#duesMs[heapIndex]) ?? Number.POSITIVE_INFINITY;
  }

  /** Sets when an item is due; `Infinity` is never. */
  set(item: T, dueMs: number): void {
    const { heapIndex } = item;
    if (heapIndex === -1) {
      if (dueMs !== Number.POSITIVE_INFINITY) this.#rise(item, dueMs, dueMs, this.#heap.length);
    } else if (dueMs < this.#timeAt(heapIndex)) this.#rise(item, dueMs, dueMs, heapIndex);
    else this.#duesMs[heapIndex] = dueMs;
  }

  remove(item: T): void {
    const hole = item.heapIndex;
    if (hole === -1) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    const dueMs = this.#duesMs.pop();
    const atMs = this.#timesMs.pop();
    if (last === undefined || dueMs === undefined || atMs === undefined || last === item) return;
    this.#rise(last, dueMs, atMs, hole);
    this.#sink(last, dueMs, atMs, last.heapIndex);
  }

  /** Takes out and gives one item whose time has come, the soonest first. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#first();
    if (first === undefined || this.dueMsOf(first) > nowMs) return undefined;
    this.remove(first);
    return first;
  }

  /** The item that is due first, once those before it that were put off stand where they belong. */
  #first(): T | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined) return undefined;
      const dueMs = this.dueMsOf(first);
      if (this.#timesMs[0] === dueMs) return first;
      if (dueMs === Number.POSITIVE_INFINITY) this.remove(first);
      else this.#sink(first, dueMs, dueMs, 0);
    }
  }

  /** Puts an item in its place, from this one up. */
  #rise(item: T, dueMs: number, atMs: number, from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#timeAt(parent) <= atMs) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#put(item, dueMs, atMs, index);
  }

  /** Puts an item in its place, from this one down. */
  #sink(item: T, dueMs: number, atMs: number, from: number): void {
    const count = this.#heap.length;
    let index = from;
    for (let next = 2 * index + 1; next < count; next = 2 * index + 1) {
      if (next + 1 < count && this.#timeAt(next + 1) < this.#timeAt(next)) next++;
      if (this.#timeAt(next) >= atMs) break;
      this.#move(next, index);
      index = next;
    }
    this.#put(item, dueMs, atMs, index);
  }

  #move(from: number, to: number): void {
    const item = this.#heap[from];
    if (item !== undefined) this.#put(item, this.dueMsOf(item), this.#timeAt(from), to);
  }

  #put(item: T, dueMs: number, atMs: number, index: number): void {
    this.#heap[index] = item;
    this.#duesMs[index] = dueMs;
    this.#timesMs[index] = atMs;
    item.heapIndex = index;
  }

  #timeAt(index: number): number {
    return this.#timesMs[index] ?? Number.POSITIVE_INFINITY;
  }
}
