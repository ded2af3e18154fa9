/** Something that is due at a time; the heap keeps its place in it. */
export interface Due {
  dueMs: number;
  heapIndex: number;
}

/**
 * What is due next: a binary heap whose members know their place, so that moving or removing one costs
 * O(log n). An item that is not in the heap has heapIndex -1.
 */
export class Deadlines<T extends Due> {
  readonly #heap: T[] = [];

  get nextMs(): number | undefined {
    return this.#heap[0]?.dueMs;
  }

  /** Sets when an item is due; `Infinity` is never. */
  set(item: T, dueMs: number): void {
    if (dueMs === Number.POSITIVE_INFINITY) {
      this.remove(item);
      return;
    }
    const sooner = dueMs < item.dueMs;
    item.dueMs = dueMs;
    if (item.heapIndex === -1) {
      item.heapIndex = this.#heap.push(item) - 1;
      this.#rise(item);
    } else if (sooner) this.#rise(item);
    else this.#sink(item);
  }

  remove(item: T): void {
    const hole = item.heapIndex;
    if (hole === -1) return;
    item.heapIndex = -1;
    item.dueMs = Number.POSITIVE_INFINITY;
    const last = this.#heap.pop();
    if (last === undefined || last === item) return;
    this.#put(last, hole);
    this.#rise(last);
    this.#sink(last);
  }

  /** Takes out and gives one item whose time has come, the soonest first. */
  takeDue(nowMs: number): T | undefined {
    const first = this.#heap[0];
    if (first === undefined || first.dueMs > nowMs) return undefined;
    this.remove(first);
    return first;
  }

  #rise(item: T): void {
    for (;;) {
      const parentIndex = (item.heapIndex - 1) >> 1;
      const parent = this.#heap[parentIndex];
      if (parent === undefined || parent.dueMs <= item.dueMs) return;
      this.#put(parent, item.heapIndex);
      this.#put(item, parentIndex);
    }
  }

  #sink(item: T): void {
    for (;;) {
      const left = this.#heap[2 * item.heapIndex + 1];
      const right = this.#heap[2 * item.heapIndex + 2];
      const child = right !== undefined && left !== undefined && right.dueMs < left.dueMs ? right : left;
      if (child === undefined || child.dueMs >= item.dueMs) return;
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
