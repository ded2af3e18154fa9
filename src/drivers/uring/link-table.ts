/**
 * The links of a driver by their numbers, which come back with completions. A link is kept for the next connection of
 * its number: even numbers are given here, odd ones by the core.
 */
import type { LinkId } from '../../core/contract.ts';
import { UringLink, type UringLinkContext } from './link.ts';
import { inUse } from './ring-socket.ts';

export class LinkTable {
  /** Accepted, and not over yet. */
  clients = 0;
  /** Dialed, and not over yet. */
  backends = 0;
  readonly #context: UringLinkContext;
  readonly #table: (UringLink | undefined)[] = [];
  readonly #freeNumbers: LinkId[] = [];
  #nextNumber = 0;
  #lastSerial = 0;

  constructor(context: UringLinkContext) {
    this.#context = context;
  }

  /** For a connection that was accepted. */
  addClient(): UringLink {
    this.clients++;
    let id = this.#freeNumbers.pop();
    if (id === undefined) {
      id = this.#nextNumber;
      this.#nextNumber += 2;
    }
    return this.#add(id);
  }

  /** For a connection that is dialed; undefined where the number is in use. */
  addBackend(id: LinkId): UringLink | undefined {
    if (this.open(id) !== undefined) return undefined;
    this.backends++;
    return this.#add(id);
  }

  #add(id: LinkId): UringLink {
    // A hole in the table would make it slow: the core gives small numbers, but perhaps not in order.
    while (this.#table.length <= id) {
      this.#table.push(undefined);
      this.#context.cameMs.push(0);
    }
    const link = this.#table[id] ?? new UringLink(id, this.#context);
    this.#table[id] = link;
    // Completions bring it back as a signed word; 0 stands for what is no link's.
    this.#lastSerial = (this.#lastSerial + 1) | 0 || 1;
    link.serial = this.#lastSerial;
    link.marks = inUse;
    return link;
  }

  release({ id }: UringLink): void {
    if (id % 2 === 0) {
      this.clients--;
      this.#freeNumbers.push(id);
    } else this.backends--;
  }

  open(id: LinkId): UringLink | undefined {
    const link = this.#table[id];
    return link?.is(inUse) === true ? link : undefined;
  }

  /**
   * The link that a completion is for. None of its operations outlives a connection, so that not to find it would be
   * the kernel's mistake, or ours.
   */
  find(id: LinkId, serial: number): UringLink | undefined {
    const link = this.#table[id];
    return link?.serial === serial ? link : undefined;
  }

  /** How many clients are to have a backend yet. */
  get dialsOwed(): number {
    return this.clients - this.backends;
  }

  get count(): number {
    return this.clients + this.backends;
  }

  closeAll(): void {
    for (const link of this.#table) if (link?.is(inUse)) link.closeBy('reset');
  }
}
