import type { SpinLock } from './lock.ts';

/**
 * The descriptor that wakes each worker, where it has one. It is used and taken back under a lock, so that none is
 * written to that was closed, and may be another's by then. The lock is its own: a system call takes longer than
 * anything that whoever waits for the ledger's is to wait for.
 */
export class WakeFds {
  readonly #lock: SpinLock;
  /** The descriptor + 1; 0 for none. */
  readonly #words: Int32Array;

  constructor(lock: SpinLock, words: Int32Array) {
    this.#lock = lock;
    this.#words = words;
  }

  set(worker: number, fd: number | undefined): void {
    this.#lock.acquire();
    this.#words[worker] = (fd ?? -1) + 1;
    this.#lock.release();
  }

  /** Its thread is gone, and holds the lock no longer. */
  forget(worker: number): void {
    this.#lock.breakFor(worker + 1);
    this.set(worker, undefined);
  }

  /** Returns whether there is one. */
  use(worker: number, act: (fd: number) => void): boolean {
    if (!this.#words[worker]) return false;
    this.#lock.acquire();
    try {
      const word = this.#words[worker] ?? 0;
      if (word > 0) act(word - 1);
      return word > 0;
    } finally {
      this.#lock.release();
    }
  }
}
