/** Links that are not read for want of buffers, and when each goes on. */
import { type Buffers, type Group, reserveGroup, smallGroup } from './buffers.ts';
import type { DueEvents } from './due-events.ts';

interface WaitingLink {
  resumeWaiting(): void;
}

export class WaitingLinks {
  readonly #buffers: Buffers;
  readonly #dueEvents: DueEvents;
  /** For a buffer, by the group that has none left. */
  readonly #forBuffer: readonly WaitingLink[][] = [[], [], []];
  readonly #forLoan: WaitingLink[] = [];
  readonly #forPlenty: WaitingLink[] = [];

  constructor(buffers: Buffers, dueEvents: DueEvents) {
    this.#buffers = buffers;
    this.#dueEvents = dueEvents;
  }

  /** There is no buffer of the group left: it goes on once there is. */
  addForBuffer(link: WaitingLink, group: Group): void {
    this.#dueEvents.exhausted('memory');
    this.#forBuffer[group]?.push(link);
  }

  /** There is none to be borrowed. */
  addForLoan(link: WaitingLink): void {
    this.#dueEvents.exhausted('memory');
    this.#forLoan.push(link);
  }

  /** It holds something, so that others come first: it goes on once buffers are not scarce. */
  addForPlenty(link: WaitingLink): void {
    this.#forPlenty.push(link);
  }

  /** Some need wait no longer. */
  get mayResume(): boolean {
    return this.#forPlenty.length > 0 && !this.#buffers.areScarce;
  }

  /** As many as there are buffers now. */
  resume(): void {
    if (this.mayResume) {
      for (const link of this.#forPlenty.splice(0, resumedEachTurn)) link.resumeWaiting();
    }
    if (this.#forLoan.length > 0) {
      for (const link of this.#forLoan.splice(0, this.#buffers.toLend)) link.resumeWaiting();
    }
    for (const links of this.#forBuffer) {
      if (links.length === 0) continue;
      const isForReserve = links === this.#forBuffer[reserveGroup] && this.#buffers.areScarce;
      const left = this.#buffers.left(isForReserve ? reserveGroup : smallGroup);
      for (const link of links.splice(0, left)) link.resumeWaiting();
    }
  }
}

/** So that they don't make buffers scarce at once again. */
const resumedEachTurn = 64;
