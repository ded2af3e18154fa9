/**
 * Descriptors that are closed by the ring with whatever is submitted next, and not by a system call each: 0.5 µs for
 * one, of which a connection has two. Nothing may be under way on them any more.
 */
import type { KernelResources } from './kernel-resources.ts';
import type { Ring } from './ring.ts';
import type { Sockets } from './sockets.ts';

export class Closes {
  readonly #ring: Pick<Ring, 'closeDescriptor'>;
  readonly #sockets: Pick<Sockets, 'close'>;
  readonly #resources: Pick<KernelResources, 'closes'>;
  #descriptors: number[] = [];

  constructor(
    ring: Pick<Ring, 'closeDescriptor'>,
    sockets: Pick<Sockets, 'close'>,
    resources: Pick<KernelResources, 'closes'>,
  ) {
    this.#ring = ring;
    this.#sockets = sockets;
    this.#resources = resources;
  }

  add(fd: number): void {
    this.#descriptors.push(fd);
  }

  /** To be called right before the ring is entered: until then another thread can reclaim them. Returns whether there are any. */
  submit(): boolean {
    const descriptors = this.#descriptors;
    if (descriptors.length === 0) return false;
    // A new one costs less than to empty this one.
    this.#descriptors = [];
    for (const fd of descriptors) {
      this.#resources.closes(fd);
      this.#ring.closeDescriptor(fd);
    }
    return true;
  }

  /** For when a descriptor is needed at once, or the ring goes. Returns whether there were any. */
  closeNow(): boolean {
    const wereAny = this.#descriptors.length > 0;
    for (const fd of this.#descriptors) this.#sockets.close(fd);
    this.#descriptors.length = 0;
    return wereAny;
  }
}
