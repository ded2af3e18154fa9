/** Something that is due at a time; the heap keeps its place in it. */
export interface Due {
  dueMs: number;
  heapIndex: number;
}

/**
 * What is due next: a binary heap whose members know their place, so that moving or removing one costs
 * O(log n). An item that is not in the heap has heapIndex -1. One that is put off stays where it is until it
 * comes up: most deadlines are put off, or their sessions end, before that.
 */
export class Deadlines<T extends Due> {
  readonly #heap: T[] = [];
  /** At which time each stands in the heap, never later than its `dueMs`: 8 bytes here, 24 as its field. */
  readonly #timesMs: number[] = [];

  get nextMs(): number | undefined {
    return this.#first()?.dueMs;
  }

  /** Sets when an item is due; `Infinity` is never. */
  set(item: T, dueMs: number): void {
    item.dueMs = dueMs;
    if (item.heapIndex === -1) {
      if (dueMs === Number.POSITIVE_INFINITY) return;
      this.#rise(item, dueMs, this.#heap.length);
    } else if (dueMs < this.#timeAt(item.heapIndex)) this.#rise(item, dueMs, item.heapIndex);
  }

  remove(item: T): void {
    const hole = item.heapIndex;
    item.dueMs = Number.POSITIVE_INFINITY;
    if (hole === -1) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    const lastMs = this.#timesMs.pop();
    if (last === undefined || lastMs === undefined || last === item) return;
    this.#rise(last, lastMs, hole);
    this.#sink(last, lastMs, last.heapIndex);
  }

  /** Takes out and gives one item whose time has come, the soonest first. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#first();
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.remove(first);
    return first;
  }

  /** The item that is due first, once those before it that were put off stand where they belong. */
  #first(): T | undefined {
    for (;;) {
      const first = this.#heap[0];
      if (first === undefined || this.#timesMs[0] === first.dueMs) return first;
      if (first.dueMs === Number.POSITIVE_INFINITY) this.remove(first);
      else this.#sink(first, first.dueMs, 0);
    }
  }

  /** Puts an item in its place, from this one up. */
  #rise(item: T, atMs: number, from: number): void {
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || this.#timeAt(parentIndex) <= atMs) break;
      this.#put(parent, this.#timeAt(parentIndex), index);
      index = parentIndex;
    }
    this.#put(item, atMs, index);
  }

  /** Puts an item in its place, from this one down. */
  #sink(item: T, atMs: number, from: number): void {
    const count = this.#heap.length;
    let index = from;
    for (let next = 2 * index + 1; next < count; next = 2 * index + 1) {
      if (next + 1 < count && this.#timeAt(next + 1) < this.#timeAt(next)) next++;
      const child = this.#heap[next];
      if (child === undefined || this.#timeAt(next) >= atMs) break;
      this.#put(child, this.#timeAt(next), index);
      index = next;
    }
    this.#put(item, atMs, index);
  }

  #put(item: T, atMs: number, index: number): void {
    this.#heap[index] = item;
    this.#timesMs[index] = atMs;
    item.heapIndex = index;
  }

  #timeAt(index: number): number {
    return this.#timesMs[index] ?? Number.POSITIVE_INFINITY;
  }
}
