/**
 * A spin lock over one shared word, for the few changes that need more than one atomic step. What it guards
 * takes well under a microsecond, or one system call, so a waiter spins. The word holds the owner, so that the
 * lock of a thread that died can be broken.
 */
export class SpinLock {
  readonly #word: Int32Array;
  readonly #owner: number;

  /** `owner` is a number above 0, different in each thread. */
  constructor(word: Int32Array, owner: number) {
    this.#word = word;
    this.#owner = owner;
  }

  acquire(): void {
    while (Atomics.compareExchange(this.#word, 0, 0, this.#owner) !== 0);
  }

  release(): void {
    Atomics.store(this.#word, 0, 0);
  }

  /** Frees the lock if a thread that is no more holds it. */
  breakFor(owner: number): void {
    Atomics.compareExchange(this.#word, 0, owner, 0);
  }
}
