/**
 * What a driver holds of the kernel's that is the process's and so outlives its thread: descriptors, and memory that is
 * mapped. It is noted in shared memory, a store for each, so that another thread can reclaim it after the driver's
 * ended without running another line: terminated, or out of heap.
 */
import { assert } from '../../core/assert.ts';
import type { ListeningSocket } from '../driver.ts';
import type { Libc, Pointer } from './libc.ts';
import type { Ring } from './ring.ts';
import { Sockets } from './sockets.ts';

/** What a descriptor is, in the byte at its place. */
const holding = { nothing: 0, connection: 1, listening: 2, ring: 3, other: 4 } as const;

/**
 * Descriptors are numbered from below, and a process has no more than this unless `fs.nr_open` was raised: those
 * beyond are not noted.
 */
const descriptors = 2 ** 20;
const mappings = 16;
const descriptorsAt = 2 * mappings * 8;

/** Pages of it that are never touched cost nothing. */
export const kernelResourcesBytes = descriptorsAt + descriptors;

export class KernelResources {
  /** The address and length of each mapping; a length of 0 is none. */
  readonly #mappings: Float64Array;
  readonly #descriptors: Uint8Array;

  constructor(shared: SharedArrayBuffer) {
    this.#mappings = new Float64Array(shared, 0, 2 * mappings);
    this.#descriptors = new Uint8Array(shared, descriptorsAt, descriptors);
  }

  /** The C library, but noting what is opened, mapped and given back. */
  noting(libc: Libc): Libc {
    const opened = (fd: number, what: number): number => {
      if (fd >= 0) this.#descriptors[fd] = what;
      return fd;
    };
    return {
      ...libc,
      socket: (family, type, protocol) => opened(libc.socket(family, type, protocol), holding.connection),
      accept4: (fd, address, bytes, flags) =>
        opened(libc.accept4(fd, address, bytes, flags), holding.connection),
      eventfd: (initially, flags) => opened(libc.eventfd(initially, flags), holding.other),
      listen: (fd, backlog) => {
        const result = libc.listen(fd, backlog);
        if (result === 0) this.listensOn(fd);
        return result;
      },
      // Before, for its number may be another thread's right after. A descriptor that is lost in between is the lesser
      // evil.
      close: (fd) => {
        this.closes(fd);
        return libc.close(fd);
      },
      mmap: (at, bytes, protection, flags, fd, offset) => {
        const address = libc.mmap(at, bytes, protection, flags, fd, offset);
        if (address >= 0) this.#mapped(address, bytes);
        return address;
      },
      munmap: (address, bytes) => {
        this.#unmapped(address);
        return libc.munmap(address, bytes);
      },
    };
  }

  /** It is about to be closed, if not by the C library. */
  closes(fd: number): void {
    this.#descriptors[fd] = holding.nothing;
  }

  listensOn(fd: number): void {
    this.#descriptors[fd] = holding.listening;
  }

  drives(ring: Ring): void {
    this.#descriptors[ring.fd] = holding.ring;
  }

  /**
   * To be called once the thread has ended: resets its connections, gives back all else, and gives the sockets that
   * listen. Closing the ring lets go of the sockets that its operations are about. None of those can write to memory
   * any more that is unmapped here: they do that in the thread that has ended, or in helpers which end with it.
   */
  reclaim(libc: Libc): readonly ListeningSocket[] {
    const sockets = new Sockets(libc);
    const left: ListeningSocket[] = [];
    for (const fd of this.#each(holding.ring)) libc.close(fd);
    for (const fd of this.#each(holding.connection)) {
      sockets.resetAtClose(fd);
      libc.close(fd);
    }
    for (const fd of this.#each(holding.other)) libc.close(fd);
    for (const fd of this.#each(holding.listening)) left.push({ address: sockets.boundTo(fd), fd });
    for (let place = 0; place < this.#mappings.length; place += 2) {
      const [address = 0, bytes = 0] = this.#mappings.subarray(place);
      if (bytes > 0) libc.munmap(address, bytes);
    }
    return left;
  }

  #mapped(address: Pointer, bytes: number): void {
    for (let place = 0; place < this.#mappings.length; place += 2) {
      if (this.#mappings[place + 1] !== 0) continue;
      this.#mappings[place] = address;
      this.#mappings[place + 1] = bytes;
      return;
    }
    assert(false, 'Every mapping is noted');
  }

  #unmapped(address: Pointer): void {
    for (let place = 0; place < this.#mappings.length; place += 2) {
      if (this.#mappings[place] === address) this.#mappings.fill(0, place, place + 2);
    }
  }

  *#each(what: number): Generator<number, void> {
    let fd = this.#descriptors.indexOf(what);
    while (fd >= 0) {
      yield fd;
      fd = this.#descriptors.indexOf(what, fd + 1);
    }
  }
}
