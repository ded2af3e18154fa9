/** The session of each link, by the link's number. */
import { assert } from './assert.ts';
import type { LinkId } from './contract.ts';

/**
 * Accepted links have even numbers, given by the driver; dialed ones odd numbers, given here. A number is used again
 * only once the last event of its link was handled.
 */
export class Links<Owner> {
  readonly #accepted: (Owner | undefined)[] = [];
  readonly #dialed: (Owner | undefined)[] = [];
  readonly #free: LinkId[] = [];
  #ended: LinkId | undefined;

  sessionOf(link: LinkId): Owner | undefined {
    return (link & 1 ? this.#dialed : this.#accepted)[link >> 1];
  }

  accept(link: LinkId, session: Owner): void {
    assert(this.#accepted[link >> 1] === undefined, 'a link has its number until its last event');
    this.#accepted[link >> 1] = session;
  }

  /** A number for a link that this session dials. */
  dial(session: Owner): LinkId {
    const link = this.#free.pop() ?? this.#dialed.length * 2 + 1;
    this.#dialed[link >> 1] = session;
    return link;
  }

  /** The event before is dealt with, and all that was commanded: the number of a link that it ended is free. */
  freeEnded(): void {
    if (this.#ended === undefined) return;
    this.#free.push(this.#ended);
    this.#ended = undefined;
  }

  /** The link's last event is being handled. */
  forget(link: LinkId): void {
    if (link & 1) {
      assert(this.#dialed[link >> 1] !== undefined, 'a link has one last event');
      this.#dialed[link >> 1] = undefined;
      this.#ended = link;
    } else this.#accepted[link >> 1] = undefined;
  }

  /** Below this are the numbers of all links; some are free. */
  get end(): LinkId {
    return 2 * Math.max(this.#accepted.length, this.#dialed.length);
  }

  /** All sessions, in no order that matters; one with two links may come twice. */
  *sessions(): Iterable<Owner> {
    for (const session of this.#accepted) if (session !== undefined) yield session;
    for (const session of this.#dialed) if (session !== undefined) yield session;
  }
}
