/**
 * The descriptors of a driver's connections: how many there may be, a spare one, and those that are to be closed. The
 * ring closes these with whatever is submitted next, and not a system call each: 0.5 µs for one, of which a connection
 * has two. While somebody waits for a descriptor, they are closed at once. Nothing may be under way on them any more.
 */
import type { DescriptorBudget } from '../descriptor-budget.ts';
import { SpareDescriptor } from '../spare-descriptor.ts';
import type { KernelResources } from './kernel-resources.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

export interface DescriptorsDeps {
  readonly ring: Pick<Ring, 'closeDescriptor'>;
  readonly sockets: Pick<Sockets, 'open' | 'close'>;
  readonly resources: Pick<KernelResources, 'closes'>;
  readonly links: { readonly dialsOwed: number };
  readonly budget: DescriptorBudget;
}

export class Descriptors {
  readonly budget: DescriptorBudget;
  readonly spare = new SpareDescriptor();
  /** Somebody waits for a descriptor, and is told so once one is free. */
  awaited: (() => void) | undefined;
  readonly #deps: DescriptorsDeps;
  #toClose: number[] = [];

  constructor(deps: DescriptorsDeps) {
    this.#deps = deps;
    this.budget = deps.budget;
  }

  /** A socket to connect with, or the error's number below zero. */
  open(sockaddr: Uint8Array): number {
    const { sockets } = this.#deps;
    let fd = sockets.open(sockaddr);
    if (fd < 0 && this.closeNow()) fd = sockets.open(sockaddr);
    if (fd < 0) this.budget.areGone();
    return fd;
  }

  close(fd: number): void {
    if (this.awaited === undefined) this.#toClose.push(fd);
    else {
      this.#deps.sockets.close(fd);
      this.freed();
    }
  }

  /**
   * To be called right before the ring is entered: until then another thread can reclaim them. Returns whether there
   * are any.
   */
  submit(): boolean {
    const descriptors = this.#toClose;
    if (descriptors.length === 0) return false;
    // A new one costs less than to empty this one.
    this.#toClose = [];
    for (const fd of descriptors) {
      this.#deps.resources.closes(fd);
      this.#deps.ring.closeDescriptor(fd);
    }
    return true;
  }

  /** For when a descriptor is needed at once, or the ring goes. Returns whether there were any. */
  closeNow(): boolean {
    const descriptors = this.#toClose;
    this.#toClose = [];
    for (const fd of descriptors) this.#deps.sockets.close(fd);
    return descriptors.length > 0;
  }

  /** Some were closed, or a link is over that had none. */
  freed(): void {
    this.countDials();
    this.spare.take();
    this.awaited?.();
  }

  /** Each client is to have a backend. */
  countDials(): void {
    this.budget.owed = this.#deps.links.dialsOwed;
  }
}
