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
  #hasOneEnded = false;

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

  /**
   * A link has ended, perhaps to make room. The core has one client at a time do that: while some wait still, the next
   * one is to.
   */
  linkEnded(): void {
    this.#hasOneEnded = true;
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
    if (this.#hasOneEnded && this.#areThere) this.#dueEvents.exhausted('memory');
    this.#hasOneEnded = false;
  }

  /** For a buffer or a loan. */
  get #areThere(): boolean {
    return this.#forLoan.length > 0 || this.#forBuffer.some((links) => links.length > 0);
  }
}

/** So that they don't make buffers scarce at once again. */
const resumedEachTurn = 64;
