/** Requests to read the configuration again, by a signal or a changed file, from the first moment on. */
export class ReloadRequests {
  #reload: ((trigger: string) => void) | undefined;
  #due: string | undefined;

  /** `trigger` says in a word or two who asks: of a signal, its name. */
  readonly request = (trigger: string): void => {
    this.#due = trigger;
    this.#serve();
  };

  /** Reloads at each request from now on, and at once if there was one before. */
  servedBy(reload: (trigger: string) => void): void {
    this.#reload = reload;
    this.#serve();
  }

  #serve(): void {
    const trigger = this.#due;
    if (trigger === undefined || this.#reload === undefined) return;
    this.#due = undefined;
    this.#reload(trigger);
  }
}
