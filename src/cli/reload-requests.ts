/** That the configuration is to be read again: asked for by a signal or a changed file, from the first moment on. */
export class ReloadRequests {
  #reload: (() => void) | undefined;
  #isDue = false;

  readonly request = (): void => {
    this.#isDue = true;
    this.#serve();
  };

  /** Whoever asked before is served now. */
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
