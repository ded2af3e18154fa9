/** Events that are due outside of what has brought them about. What follows from them is due in the next turn. */
import type { LinkEvents } from './link-events.ts';

interface TellingLink {
  /** `errno` as it was added. */
  tell(errno: number): void;
}

export class DueEvents {
  readonly #events: LinkEvents;
  #links: TellingLink[] = [];
  /** Of each, and 0 of most: as a field of theirs it would take 8 bytes of every connection. */
  #errnos: number[] = [];
  readonly #exhausted = new Set<'memory' | 'descriptors'>();

  constructor(events: LinkEvents) {
    this.#events = events;
  }

  get areThere(): boolean {
    return this.#links.length > 0 || this.#exhausted.size > 0;
  }

  add(link: TellingLink, errno = 0): void {
    this.#links.push(link);
    this.#errnos.push(errno);
  }

  /** Told once a turn, however often it is. */
  exhausted(what: 'memory' | 'descriptors'): void {
    this.#exhausted.add(what);
  }

  tell(): void {
    if (this.#links.length > 0) {
      const links = this.#links;
      const errnos = this.#errnos;
      this.#links = [];
      this.#errnos = [];
      for (let at = 0; at < links.length; at++) links[at]?.tell(errnos[at] ?? 0);
    }
    if (this.#exhausted.size === 0) return;
    for (const what of this.#exhausted) this.#events.exhausted(what);
    this.#exhausted.clear();
  }
}
