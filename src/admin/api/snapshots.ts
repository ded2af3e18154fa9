/**
 * What status says, each second for as long as somebody looks: made once for all who do, and not at all while nobody
 * does.
 */
export class Snapshots {
  readonly #make: () => string;
  readonly #watchers = new Set<Watcher>();
  #timer: NodeJS.Timeout | undefined;
  #ticks = 0;

  /** `make` gives the text of one. */
  constructor(make: () => string) {
    this.#make = make;
  }

  /** Gives one at once and then every so many seconds, until the function that it gives is called. */
  watch(everySeconds: number, take: (text: string) => void): () => void {
    const watcher = { everySeconds, take };
    this.#watchers.add(watcher);
    this.#timer ??= setInterval(() => this.#tick(), 1_000).unref();
    take(this.#make());
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  #tick(): void {
    this.#ticks++;
    const due = [...this.#watchers].filter(({ everySeconds }) => this.#ticks % everySeconds === 0);
    if (due.length === 0) return;
    const text = this.#make();
    for (const { take } of due) take(text);
  }
}

interface Watcher {
  readonly everySeconds: number;
  take(text: string): void;
}
