/** Something that is due at a time; the heap keeps its place in it. */
export interface Due {
  dueMs: number;
  /** Where it stands in the heap: at this time, which is never later than `dueMs`. */
  heapMs: number;
  heapIndex: number;
}

/**
 * What is due next: a binary heap whose members know their place, so that moving or removing one costs
 * O(log n). An item that is not in the heap has heapIndex -1. One that is put off stays where it is until it
 * comes up: most deadlines are put off, or their sessions end, before that.
 */
export class Deadlines<T extends Due> {
  readonly #heap: T[] = [];

  get nextMs(): number | undefined {
    return this.#first()?.dueMs;
  }

  /** Sets when an item is due; `Infinity` is never. */
  set(item: T, dueMs: number): void {
    item.dueMs = dueMs;
    if (item.heapIndex === -1) {
      if (dueMs === Number.POSITIVE_INFINITY) return;
      item.heapMs = dueMs;
      item.heapIndex = this.#heap.push(item) - 1;
      this.#rise(item);
    } else if (dueMs < item.heapMs) {
      item.heapMs = dueMs;
      this.#rise(item);
    }
  }

  remove(item: T): void {
    const hole = item.heapIndex;
    item.dueMs = Number.POSITIVE_INFINITY;
    if (hole === -1) return;
    item.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#put(last, hole);
    this.#rise(last);
    this.#sink(last);
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
      if (first === undefined || first.heapMs === first.dueMs) return first;
      if (first.dueMs === Number.POSITIVE_INFINITY) this.remove(first);
      else {
        first.heapMs = first.dueMs;
        this.#sink(first);
      }
    }
  }

  #rise(item: T): void {
    while (item.heapIndex > 0) {
      const parentIndex = (item.heapIndex - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.heapMs <= item.heapMs) return;
      this.#put(parent, item.heapIndex);
      this.#put(item, parentIndex);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.heapIndex + 1];
      const right = this.#heap[2 * item.heapIndex + 2];
      const child = right !== undefined && left !== undefined && right.heapMs < left.heapMs ? right : left;
      if (child === undefined || child.heapMs >= item.heapMs) return;
      const index = child.heapIndex;
      this.#put(child, item.heapIndex);
      this.#put(item, index);
    }
  }

  #put(item: T, index: number): void {
    this.#heap[index] = item;
    item.heapIndex = index;
  }
}
