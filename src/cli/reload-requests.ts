/** Requests to read the configuration again, by a signal or a changed file, from the first moment on. */
export class ReloadRequests {
  #reload: (() => void) | undefined;
  #isDue = false;

  readonly request = (): void => {
    this.#isDue = true;
    this.#serve();
  };

  /** Reloads at each request from now on, and at once if there was one before. */
  servedBy(reload: () => void): void {
    this.#reload = reload;
    this.#serve();
  }

  #serve(): void {
    if (!this.#isDue || this.#reload === undefined) return;
    this.#isDue = false;
    this.#reload();
  }
}
