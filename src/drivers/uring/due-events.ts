/** Events that are due outside of what has brought them about. What follows from them is due in the next turn. */
import type { LinkEvents } from './link-events.ts';

interface TellingLink {
  tell(): void;
}

export class DueEvents {
  readonly #events: LinkEvents;
  #links: TellingLink[] = [];
  readonly #exhausted = new Set<'memory' | 'descriptors'>();

  constructor(events: LinkEvents) {
    this.#events = events;
  }

  get areThere(): boolean {
    return this.#links.length > 0 || this.#exhausted.size > 0;
  }

  add(link: TellingLink): void {
    this.#links.push(link);
  }

  /** Told once a turn, however often it is. */
  exhausted(what: 'memory' | 'descriptors'): void {
    this.#exhausted.add(what);
  }

  tell(): void {
    if (this.#links.length > 0) {
      const links = this.#links;
      this.#links = [];
      for (const link of links) link.tell();
    }
    if (this.#exhausted.size === 0) return;
    for (const what of this.#exhausted) this.#events.exhausted(what);
    this.#exhausted.clear();
  }
}
