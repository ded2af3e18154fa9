/**
 * An io_uring as the kernel makes it: its descriptor, and what is where in the memory that it shares with us.
 * See io_uring_setup(2).
 */
import * as kernel from './kernel.ts';
import { type Libc, mapDescriptor, mapMemory, type Pointer, systemError } from './libc.ts';

export class RingMemory {
  readonly fd: number;
  protected readonly libc: Libc;
  /** The entries of the submission queue, in words. */
  protected readonly sqes: Uint32Array;
  /** The entries of the completion queue, in words. */
  protected readonly cqes: Int32Array;
  /** Both queues' heads and tails are words of it, at these indices. */
  protected readonly words: Uint32Array;
  protected readonly sqHead: number;
  protected readonly sqTail: number;
  protected readonly cqHead: number;
  protected readonly cqTail: number;
  protected readonly sqMask: number;
  protected readonly cqMask: number;
  /** Where addresses for `connect` are kept until the kernel has copied them: a place for each entry. */
  protected readonly sockaddrs: Uint8Array;
  protected readonly sockaddrsAt: Pointer;
  /** What `io_uring_enter` is told of waiting, and the time-out that this refers to. */
  protected readonly waitArgument: Uint32Array;
  protected readonly waitArgumentAt: Pointer;
  protected readonly timeout: Uint32Array;
  /** Whether `io_uring_enter` can wait for several completions and yet not too long for them. */
  protected readonly knowsMoments: boolean;
  readonly #mappings: { readonly address: Pointer; readonly bytes: number }[] = [];

  /** Throws a system error where the kernel has no such ring, or keeps it from us. */
  constructor(libc: Libc, entries: number, completions: number) {
    this.libc = libc;
    const { fd, params, hasArray } = setUp(libc, entries, completions);
    this.fd = fd;
    try {
      const features = at(params, kernel.params.features);
      requireFeatures(features);
      this.knowsMoments = (features & kernel.IORING_FEAT_MIN_TIMEOUT) !== 0;
      const sqEntries = at(params, kernel.params.sqEntries);
      const { sqOffsets, cqOffsets } = kernel.params;
      const cqesAt = at(params, cqOffsets.cqes);
      const cqBytes = cqesAt + at(params, kernel.params.cqEntries) * kernel.cqe.words * 4;
      const sqBytes = hasArray ? at(params, sqOffsets.array) + sqEntries * 4 : 0;

      const rings = this.#share(Math.max(cqBytes, sqBytes), kernel.IORING_OFF_SQ_RING);
      this.words = new Uint32Array(rings, 0, rings.byteLength >>> 2);
      this.sqHead = at(params, sqOffsets.head) >>> 2;
      this.sqTail = at(params, sqOffsets.tail) >>> 2;
      this.sqMask = at(this.words, at(params, sqOffsets.ringMask) >>> 2);
      this.cqHead = at(params, cqOffsets.head) >>> 2;
      this.cqTail = at(params, cqOffsets.tail) >>> 2;
      this.cqMask = at(this.words, at(params, cqOffsets.ringMask) >>> 2);
      this.cqes = new Int32Array(rings, cqesAt, at(params, kernel.params.cqEntries) * kernel.cqe.words);
      this.sqes = new Uint32Array(this.#share(sqEntries * kernel.sqe.words * 4, kernel.IORING_OFF_SQES));
      // Kernels before 6.6 look entries up in a table: the n-th is the n-th.
      if (hasArray) {
        const table = at(params, sqOffsets.array) >>> 2;
        for (let entry = 0; entry < sqEntries; entry++) this.words[table + entry] = entry;
      }

      const addressBytes = sqEntries * sockaddrBytes;
      this.sockaddrsAt = this.#map(addressBytes + 64);
      this.sockaddrs = new Uint8Array(libc.view(this.sockaddrsAt, addressBytes));
      this.waitArgumentAt = this.sockaddrsAt + addressBytes;
      this.waitArgument = new Uint32Array(libc.view(this.waitArgumentAt, 64));
      writeAddress(this.waitArgument, waitFields.timeout, this.waitArgumentAt + 32);
      this.timeout = this.waitArgument.subarray(8, 12);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Throws a system error. */
  register(what: number, argument: Pointer, count: number): void {
    const result = this.libc.syscall(kernel.SYS_io_uring_register, this.fd, what, argument, count, 0, 0);
    if (result < 0) throw systemError('io_uring_register', this.libc.errno());
  }

  /** Registers the memory of a ring of buffers as a group. Throws a system error. */
  registerBuffers(group: number, ring: Pointer, entries: number): void {
    // struct io_uring_buf_reg, which the kernel reads during the call alone.
    const argument = new Uint32Array(10);
    writeAddress(argument, 0, ring);
    argument[2] = entries;
    argument[3] = group;
    this.sockaddrs.set(new Uint8Array(argument.buffer));
    this.register(kernel.IORING_REGISTER_PBUF_RING, this.sockaddrsAt, 1);
  }

  /** No operation may be under way any more that uses memory which its owner frees then. */
  close(): void {
    for (const { address, bytes } of this.#mappings) this.libc.munmap(address, bytes);
    this.#mappings.length = 0;
    this.libc.close(this.fd);
  }

  #share(bytes: number, offset: number): ArrayBuffer {
    const flags = kernel.MAP_SHARED | kernel.MAP_POPULATE;
    const address = mapDescriptor(this.libc, this.fd, bytes, flags, offset);
    this.#mappings.push({ address, bytes });
    return this.libc.view(address, bytes);
  }

  #map(bytes: number): Pointer {
    const address = mapMemory(this.libc, bytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
    this.#mappings.push({ address, bytes });
    return address;
  }
}

/** A struct sockaddr_un, the longest, takes 110 bytes. */
export const sockaddrBytes = 128;
/** `struct io_uring_getevents_arg`: offsets in 32-bit words. */
export const waitFields = { bytes: 24, leastUs: 3, timeout: 4 } as const;

/** Writes a pointer, or a number below 2⁵³, as a 64-bit field. */
export function writeAddress(words: Uint32Array, index: number, address: Pointer): void {
  words[index] = address;
  words[index + 1] = address / 2 ** 32;
}

/** For indices that lie inside: those the kernel gave, or masked ones. */
export function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

function setUp(libc: Libc, entries: number, completions: number) {
  const flags =
    kernel.IORING_SETUP_CQSIZE |
    kernel.IORING_SETUP_CLAMP |
    kernel.IORING_SETUP_SUBMIT_ALL |
    kernel.IORING_SETUP_SINGLE_ISSUER |
    kernel.IORING_SETUP_DEFER_TASKRUN;
  const bytes = kernel.params.words * 4;
  const address = mapMemory(libc, bytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
  try {
    const shared = new Uint32Array(libc.view(address, bytes));
    for (const more of [kernel.IORING_SETUP_NO_SQARRAY, 0]) {
      shared.fill(0);
      shared[kernel.params.cqEntries] = completions;
      shared[kernel.params.flags] = flags | more;
      const fd = libc.syscall(kernel.SYS_io_uring_setup, entries, address, 0, 0, 0, 0);
      if (fd >= 0) return { fd, params: shared.slice(), hasArray: more === 0 };
      const why = libc.errno();
      if (why !== kernel.EINVAL || more === 0) throw systemError('io_uring_setup', why);
    }
  } finally {
    libc.munmap(address, bytes);
  }
  throw new Error('Expected a ring or an error');
}

function requireFeatures(features: number): void {
  const needed =
    kernel.IORING_FEAT_SINGLE_MMAP |
    kernel.IORING_FEAT_NODROP |
    kernel.IORING_FEAT_SUBMIT_STABLE |
    kernel.IORING_FEAT_EXT_ARG;
  if ((features & needed) !== needed)
    throw new Error('The kernel lacks features of io_uring that are needed');
}
