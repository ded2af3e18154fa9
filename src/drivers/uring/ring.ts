/**
 * One io_uring: a queue of operations for the kernel and a queue of their completions, both in memory shared with
 * it. Operations are written as plain words; one system call per turn submits them all and waits for what is done.
 *
 * The ring belongs to the thread that made it. Completions are written only while that thread is in `enter`
 * (DEFER_TASKRUN), so that no fences are needed.
 */
import { assert } from '../../core/assert.ts';
import * as kernel from './kernel.ts';
import { type Libc, mapDescriptor, mapMemory, type Pointer, systemError } from './libc.ts';

/** What an operation is known by when it completes: two words that come back as they were given. */
export type Completion = (low: number, high: number, result: number, flags: number) => void;

export class Ring {
  readonly fd: number;
  readonly #libc: Libc;
  readonly #mappings: { readonly address: Pointer; readonly bytes: number }[] = [];
  readonly #sqes: Uint32Array;
  readonly #sqWords: Uint32Array;
  readonly #cqes: Int32Array;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #sqMask: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  /** Where addresses for `connect` are kept until the kernel has copied them: a place for each entry. */
  readonly #sockaddrs: Uint8Array;
  readonly #sockaddrsAt: Pointer;
  readonly #waitArgumentAt: Pointer;
  readonly #argument: Uint32Array;
  readonly #timeout: Uint32Array;
  /** Whether `enter` can wait for several completions and yet not too long for them. */
  readonly #knowsMoments: boolean;
  /** Whether `receiveMany` ends where it is told to. */
  readonly limitsReceives: boolean;
  /** Of `io_uring_enter`, one after the other. */
  #failures = 0;
  /** Sends written since the last `enter`. */
  #sends = 0;
  /** Entries written so far: the tail once it is published. */
  #written = 0;

  /** Throws a system error where the kernel has no such ring, or keeps it from us. */
  constructor(libc: Libc, entries: number, completions: number) {
    this.#libc = libc;
    const { fd, params, hasArray } = setUp(libc, entries, completions);
    this.fd = fd;
    try {
      const features = at(params, kernel.params.features);
      requireFeatures(features);
      this.#knowsMoments = (features & kernel.IORING_FEAT_MIN_TIMEOUT) !== 0;
      const sqEntries = at(params, kernel.params.sqEntries);
      const { sqOffsets, cqOffsets } = kernel.params;
      const cqesAt = at(params, cqOffsets.cqes);
      const cqBytes = cqesAt + at(params, kernel.params.cqEntries) * kernel.cqe.words * 4;
      const sqBytes = hasArray ? at(params, sqOffsets.array) + sqEntries * 4 : 0;

      const rings = this.#view(Math.max(cqBytes, sqBytes), kernel.IORING_OFF_SQ_RING);
      this.#sqWords = new Uint32Array(rings, 0, rings.byteLength >>> 2);
      this.#sqHead = at(params, sqOffsets.head) >>> 2;
      this.#sqTail = at(params, sqOffsets.tail) >>> 2;
      this.#sqMask = at(this.#sqWords, at(params, sqOffsets.ringMask) >>> 2);
      this.#cqHead = at(params, cqOffsets.head) >>> 2;
      this.#cqTail = at(params, cqOffsets.tail) >>> 2;
      this.#cqMask = at(this.#sqWords, at(params, cqOffsets.ringMask) >>> 2);
      this.#cqes = new Int32Array(rings, cqesAt, at(params, kernel.params.cqEntries) * kernel.cqe.words);
      this.#sqes = new Uint32Array(this.#view(sqEntries * kernel.sqe.words * 4, kernel.IORING_OFF_SQES));
      // Kernels before 6.6 look entries up in a table: the n-th is the n-th.
      if (hasArray) {
        const table = at(params, sqOffsets.array) >>> 2;
        for (let entry = 0; entry < sqEntries; entry++) this.#sqWords[table + entry] = entry;
      }

      const scratch = this.#map(sqEntries * sockaddrBytes + 64);
      this.#sockaddrsAt = scratch;
      this.#sockaddrs = new Uint8Array(libc.view(scratch, sqEntries * sockaddrBytes));
      this.#waitArgumentAt = scratch + sqEntries * sockaddrBytes;
      const argument = new Uint32Array(libc.view(this.#waitArgumentAt, 64));
      writeAddress(argument, waitArgument.timeout, this.#waitArgumentAt + 32);
      this.#argument = argument;
      this.#timeout = argument.subarray(8, 12);
      this.limitsReceives = this.#takesLimit();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  connect(fd: number, sockaddr: Uint8Array, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_CONNECT, 0, 0, fd, low, high);
    const place = (entry / kernel.sqe.words) * sockaddrBytes;
    this.#sockaddrs.set(sockaddr, place);
    writeAddress(this.#sqes, entry + kernel.sqe.address, this.#sockaddrsAt + place);
    this.#sqes[entry + kernel.sqe.offset] = sockaddr.length;
  }

  /** Receives once, into a buffer that the kernel takes from the group when bytes are there. */
  receive(fd: number, group: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_RECV, kernel.IOSQE_BUFFER_SELECT, 0, fd, low, high);
    this.#sqes[entry + kernel.sqe.bufferGroup] = group;
  }

  /**
   * Receives again and again, each time into a buffer of the group: ends with a completion without `more`, at the latest
   * with the buffer that brings what has come to so many bytes. Kernels before 6.17 know no such limit
   * (`limitsReceives`): there it goes on while there are buffers.
   */
  receiveMany(fd: number, group: number, mostBytes: number, low: number, high: number): void {
    const entry = this.#receiveMany(fd, group, low, high);
    if (this.limitsReceives) this.#sqes[entry + kernel.sqe.mostBytes] = mostBytes;
  }

  #receiveMany(fd: number, group: number, low: number, high: number): number {
    const many = kernel.IORING_RECV_MULTISHOT;
    const entry = this.#entry(kernel.IORING_OP_RECV, kernel.IOSQE_BUFFER_SELECT, many, fd, low, high);
    this.#sqes[entry + kernel.sqe.bufferGroup] = group;
    return entry;
  }

  /** A kernel that knows no limits says EINVAL before it looks at the descriptor, which there is none of. */
  #takesLimit(): boolean {
    const entry = this.#receiveMany(-1, 0, 0, 0);
    this.#sqes[entry + kernel.sqe.mostBytes] = 1;
    let errno = 0;
    for (let tries = 0; errno === 0 && tries < failuresMax; tries++) {
      this.enter(0);
      this.reap((_low, _high, result) => {
        errno = -result;
      });
    }
    return errno === kernel.EBADF;
  }

  /**
   * Sends all of it: completes with less only after an error. Gives a number for `finFollows`; `isLast` says that FIN
   * follows already.
   */
  send(fd: number, address: Pointer, length: number, isLast: boolean, low: number, high: number): number {
    this.#sends++;
    const entry = this.#entry(kernel.IORING_OP_SEND, 0, 0, fd, low, high);
    writeAddress(this.#sqes, entry + kernel.sqe.address, address);
    this.#sqes[entry + kernel.sqe.length] = length;
    this.#sqes[entry + kernel.sqe.operationFlags] = isLast ? sendFlags | kernel.MSG_MORE : sendFlags;
    return this.#written;
  }

  /**
   * The end of this send waits for the FIN that is sent once it has completed, so that both go in one packet; where
   * it is submitted already, in two. Responses that end their connection: two in three, 3 % less CPU for each.
   */
  finFollows(send: number): void {
    const index = (send - 1) >>> 0;
    const head = at(this.#sqWords, this.#sqHead);
    if ((index - head) >>> 0 >= (this.#written - head) >>> 0) return;
    const flags = (index & this.#sqMask) * kernel.sqe.words + kernel.sqe.operationFlags;
    this.#sqes[flags] = at(this.#sqes, flags) | kernel.MSG_MORE;
  }

  /** Completes once the descriptor can be read. */
  waitUntilReadable(fd: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_POLL_ADD, 0, 0, fd, low, high);
    this.#sqes[entry + kernel.sqe.operationFlags] = kernel.POLLIN;
  }

  /**
   * Completes once the descriptor has failed, or nothing more can come or be sent (POLLERR and POLLHUP need no asking),
   * or one of these events has happened.
   */
  waitUntilBroken(fd: number, events: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_POLL_ADD, 0, 0, fd, low, high);
    this.#sqes[entry + kernel.sqe.operationFlags] = events;
  }

  /** Cancels the operation that is known by the two words given last. */
  cancel(low: number, high: number, targetLow: number, targetHigh: number): void {
    const entry = this.#entry(kernel.IORING_OP_ASYNC_CANCEL, 0, 0, -1, low, high);
    this.#sqes[entry + kernel.sqe.address] = targetLow;
    this.#sqes[entry + kernel.sqe.address + 1] = targetHigh;
  }

  /** Cancels every operation on the descriptor. Each of them still completes. */
  cancelAll(fd: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_ASYNC_CANCEL, 0, 0, fd, low, high);
    this.#sqes[entry + kernel.sqe.operationFlags] =
      kernel.IORING_ASYNC_CANCEL_ALL | kernel.IORING_ASYNC_CANCEL_FD;
  }

  /**
   * Submits what was written and lets the kernel complete what is done; waits for that up to so long. Where more
   * than one completion is wanted, it waits a moment for so many, beside those of the sends that it submits: these
   * are there at once, as a rule. After the moment one is enough. Kernels before 6.12 know no such moments: one is
   * enough there. Says how many sends it has submitted.
   *
   * Who doesn't wait (0) asks for all the same: the kernel deals with no more than 20 of what has happened where fewer
   * completions are asked for, and wakes nobody for the rest, even if these 20 have completed nothing.
   */
  enter(waitMs: number, wanted = 1): number {
    const toSubmit = (this.#written - at(this.#sqWords, this.#sqHead)) >>> 0;
    const sends = this.#sends;
    this.#sends = 0;
    const seconds = Math.floor(waitMs / 1_000);
    this.#timeout[0] = seconds;
    this.#timeout[2] = Math.ceil((waitMs - seconds * 1_000) * 1e6);
    const isForSeveral = waitMs > 0 && wanted > 1 && this.#knowsMoments;
    this.#argument[waitArgument.leastUs] = isForSeveral ? momentUs : 0;
    const toWaitFor = waitMs === 0 ? this.#cqMask + 1 : isForSeveral ? sends + wanted : 1;
    const flags = kernel.IORING_ENTER_GETEVENTS | kernel.IORING_ENTER_EXT_ARG;
    this.#enter(toSubmit, toWaitFor, flags, this.#waitArgumentAt, waitArgument.bytes);
    return sends;
  }

  /** Gives every completion to `take`, which may write new operations; says how many there were. */
  reap(take: Completion): number {
    let taken = 0;
    let head = at(this.#sqWords, this.#cqHead);
    // The ones that come meanwhile wait for the next turn.
    const tail = at(this.#sqWords, this.#cqTail);
    while (head !== tail) {
      const entry = (head & this.#cqMask) * kernel.cqe.words;
      const low = this.#cqes[entry] ?? 0;
      const high = this.#cqes[entry + 1] ?? 0;
      const result = this.#cqes[entry + kernel.cqe.result] ?? 0;
      const flags = this.#cqes[entry + kernel.cqe.flags] ?? 0;
      head = (head + 1) >>> 0;
      this.#sqWords[this.#cqHead] = head;
      taken++;
      take(low, high, result, flags);
    }
    return taken;
  }

  /** Completions wait that were not taken. */
  get hasCompletions(): boolean {
    return at(this.#sqWords, this.#cqHead) !== at(this.#sqWords, this.#cqTail);
  }

  /** Throws a system error. */
  register(what: number, argument: Pointer, count: number): void {
    const result = this.#libc.syscall(kernel.SYS_io_uring_register, this.fd, what, argument, count, 0, 0);
    if (result < 0) throw systemError('io_uring_register', this.#libc.errno());
  }

  /** Registers the memory of a ring of buffers as a group. Throws a system error. */
  registerBuffers(group: number, ring: Pointer, entries: number): void {
    // struct io_uring_buf_reg
    const argument = new Uint32Array(10);
    writeAddress(argument, 0, ring);
    argument[2] = entries;
    argument[3] = group;
    this.register(kernel.IORING_REGISTER_PBUF_RING, this.#copyIn(argument), 1);
  }

  /** Nothing may be under way any more that uses memory which its owner takes away then. */
  close(): void {
    for (const { address, bytes } of this.#mappings) this.#libc.munmap(address, bytes);
    this.#mappings.length = 0;
    this.#libc.close(this.fd);
  }

  #entry(opcode: number, flags: number, ioprio: number, fd: number, low: number, high: number): number {
    if (this.#isFull) this.#submit();
    const entry = (this.#written & this.#sqMask) * kernel.sqe.words;
    const sqes = this.#sqes;
    // One by one: `fill` is a call, and takes longer.
    for (let word = 0; word < kernel.sqe.words; word++) sqes[entry + word] = 0;
    sqes[entry] = opcode | (flags << 8) | (ioprio << 16);
    sqes[entry + kernel.sqe.fd] = fd;
    sqes[entry + kernel.sqe.userData] = low;
    sqes[entry + kernel.sqe.userData + 1] = high;
    this.#written = (this.#written + 1) >>> 0;
    this.#sqWords[this.#sqTail] = this.#written;
    return entry;
  }

  /**
   * The queue is full in the middle of a turn. Its last entry is complete: writing goes on only after this. Where the
   * kernel takes nothing for want of memory, it is asked again, and may complete what it has.
   */
  #submit(): void {
    for (let tries = 0; this.#isFull; tries++) {
      assert(tries <= failuresMax, 'The kernel takes operations, or its failure is thrown');
      this.#enter(this.#sqMask + 1, 0, tries === 0 ? 0 : kernel.IORING_ENTER_GETEVENTS, 0, 0);
    }
  }

  get #isFull(): boolean {
    return (this.#written - at(this.#sqWords, this.#sqHead)) >>> 0 > this.#sqMask;
  }

  /**
   * A failure is not the end: no time was left to wait, a signal came, the kernel is out of memory or wants completions
   * to be taken first. Another turn follows in any case. Only what fails on and on is given up.
   */
  #enter(toSubmit: number, toWaitFor: number, flags: number, argument: Pointer, bytes: number): void {
    const { syscall, errno } = this.#libc;
    const result = syscall(kernel.SYS_io_uring_enter, this.fd, toSubmit, toWaitFor, flags, argument, bytes);
    if (result >= 0) {
      this.#failures = 0;
      return;
    }
    const why = errno();
    if (why === kernel.ETIME || why === kernel.EINTR) return;
    const isForbidden = why === kernel.EPERM || why === kernel.ENOSYS;
    if (++this.#failures > (isForbidden ? refusalsMax : failuresMax))
      throw systemError('io_uring_enter', why);
    Atomics.wait(asleep, 0, 0, 1);
  }

  #view(bytes: number, offset: number): ArrayBuffer {
    const flags = kernel.MAP_SHARED | kernel.MAP_POPULATE;
    const address = mapDescriptor(this.#libc, this.fd, bytes, flags, offset);
    this.#mappings.push({ address, bytes });
    return this.#libc.view(address, bytes);
  }

  #map(bytes: number): Pointer {
    const address = mapMemory(this.#libc, bytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
    this.#mappings.push({ address, bytes });
    return address;
  }

  /** The kernel reads such arguments during the call alone. */
  #copyIn(words: Uint32Array | Int32Array): Pointer {
    this.#sockaddrs.set(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    return this.#sockaddrsAt;
  }
}

/** Writes a pointer, or a number below 2⁵³, as a 64-bit field. */
export function writeAddress(words: Uint32Array, index: number, address: Pointer): void {
  words[index] = address;
  words[index + 1] = address / 2 ** 32;
}

const sendFlags = kernel.MSG_WAITALL | kernel.MSG_NOSIGNAL;
/** Some seconds: each is followed by a millisecond of sleep. */
const failuresMax = 5_000;
/** What is forbidden stays so; but a collection of garbage may have overwritten one errno with another. */
const refusalsMax = 3;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** A struct sockaddr_un, the longest, takes 110 bytes. */
const sockaddrBytes = 128;
/** `struct io_uring_getevents_arg`: offsets in 32-bit words. */
const waitArgument = { bytes: 24, leastUs: 3, timeout: 4 } as const;
/** Longer ones hardly save more, and this is less than what two switches of tasks may take. */
const momentUs = 50;

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

/** For indices that lie inside: those the kernel gave, or masked ones. */
function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}
