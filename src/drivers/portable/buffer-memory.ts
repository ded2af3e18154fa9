/**
 * What the buffers of a driver hold in all: bytes that nobody takes yet, and bytes on their way to peers. While that
 * comes near its bound, links read little at a time, and those that are not joined only while they hold nothing. So a
 * link that is read adds no more than a small read's worth beyond the bound.
 */
export class BufferMemory {
  readonly #limit: number;
  readonly #exhausted: () => void;
  readonly #changed: (bytes: number) => void;
  #bytes = 0;
  #isTold = false;
  readonly #waiting = new Set<{ read(): void }>();

  /**
   * `exhausted` is called, at most once a turn, while there is more than the bound; `changed` with what is held at each
   * change.
   */
  constructor(limit: number, exhausted: () => void, changed: (bytes: number) => void = () => {}) {
    this.#limit = limit;
    this.#exhausted = exhausted;
    this.#changed = changed;
  }

  get isScarce(): boolean {
    return this.#bytes >= scarceShare * this.#limit;
  }

  change(bytes: number): void {
    this.#bytes += bytes;
    this.#changed(this.#bytes);
    if (bytes > 0 && this.#bytes > this.#limit) this.#tell();
    if (bytes < 0 && this.#waiting.size > 0 && this.#bytes < ampleShare * this.#limit) this.#wake();
  }

  /** Wakes a link that holds all it may once there is memory again. */
  wakeWhenAmple(link: { read(): void }): void {
    if (this.isScarce) this.#waiting.add(link);
  }

  #tell(): void {
    if (this.#isTold) return;
    this.#isTold = true;
    setImmediate(() => {
      this.#isTold = false;
      this.#exhausted();
    });
  }

  #wake(): void {
    const links = [...this.#waiting];
    this.#waiting.clear();
    for (const link of links) link.read();
  }
}

const scarceShare = 0.75;
const ampleShare = 0.5;
