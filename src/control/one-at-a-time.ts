/** Changes that wait for each other: one begins once the one before has ended, well or badly. */
export class OneAtATime {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change);
    // The caller gets the failure; the next change only waits.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
