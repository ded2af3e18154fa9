/**
 * One io_uring: a queue of operations for the kernel and a queue of their completions, both in memory shared with
 * it. Operations are written as plain words; one system call per turn submits them all and waits for what is done.
 *
 * The ring belongs to the thread that made it. Completions are written only while that thread is in `enter`
 * (DEFER_TASKRUN), so that no fences are needed.
 */
import { assert } from '../../core/assert.ts';
import * as kernel from './kernel.ts';
import { type Libc, type Pointer, systemError } from './libc.ts';
import { operation, operationShift } from './operations.ts';
import { at, RingMemory, sockaddrBytes, waitFields, writeAddress } from './ring-memory.ts';

/** What an operation is known by when it completes: two words that come back as they were given. */
export type Completion = (low: number, high: number, result: number, flags: number) => void;

export class Ring extends RingMemory {
  /** Whether `receiveMany` ends where it is told to. */
  readonly limitsReceives: boolean;
  /** How often `io_uring_enter` has failed in a row. */
  #failures = 0;
  #refusals = 0;
  /** Sends written since the last `enter`. */
  #sends = 0;
  /** Entries written so far: the tail once it is published. */
  #written = 0;

  /** Throws a system error where the kernel has no such ring, or keeps it from us. */
  constructor(libc: Libc, entries: number, completions: number) {
    super(libc, entries, completions);
    try {
      this.limitsReceives = this.#takesLimit();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  connect(fd: number, sockaddr: Uint8Array, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_CONNECT, 0, 0, fd, low, high);
    const place = (entry / kernel.sqe.words) * sockaddrBytes;
    // One by one, as below.
    for (let at = 0; at < sockaddr.length; at++) this.sockaddrs[place + at] = sockaddr[at] ?? 0;
    writeAddress(this.sqes, entry + kernel.sqe.address, this.sockaddrsAt + place);
    this.sqes[entry + kernel.sqe.offset] = sockaddr.length;
  }

  /** Receives once, into a buffer that the kernel takes from the group when bytes are there. */
  receive(fd: number, group: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_RECV, kernel.IOSQE_BUFFER_SELECT, 0, fd, low, high);
    this.sqes[entry + kernel.sqe.bufferGroup] = group;
  }

  /**
   * Receives again and again, each time into a buffer of the group: ends with a completion without `more`, at the
   * latest with the buffer that brings what has come to so many bytes. Kernels before 6.17 know no such limit
   * (`limitsReceives`): there it goes on while there are buffers.
   */
  receiveMany(fd: number, group: number, mostBytes: number, low: number, high: number): void {
    const entry = this.#receiveMany(fd, group, low, high);
    if (this.limitsReceives) this.sqes[entry + kernel.sqe.mostBytes] = mostBytes;
  }

  #receiveMany(fd: number, group: number, low: number, high: number): number {
    const many = kernel.IORING_RECV_MULTISHOT;
    const entry = this.#entry(kernel.IORING_OP_RECV, kernel.IOSQE_BUFFER_SELECT, many, fd, low, high);
    this.sqes[entry + kernel.sqe.bufferGroup] = group;
    return entry;
  }

  /** A kernel that knows no limits says EINVAL before it looks at the descriptor, which there is none of. */
  #takesLimit(): boolean {
    const entry = this.#receiveMany(-1, 0, 0, 0);
    this.sqes[entry + kernel.sqe.mostBytes] = 1;
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
   * Sends all of it: completes with less only after an error. Gives a number for `isPending` and `finFollows`. What is
   * followed waits for what follows, 200 ms at most.
   */
  send(fd: number, address: Pointer, length: number, isFollowed: boolean, low: number, high: number): number {
    this.#sends++;
    const entry = this.#entry(kernel.IORING_OP_SEND, 0, 0, fd, low, high);
    writeAddress(this.sqes, entry + kernel.sqe.address, address);
    this.sqes[entry + kernel.sqe.length] = length;
    this.sqes[entry + kernel.sqe.operationFlags] = isFollowed ? sendFlags | kernel.MSG_MORE : sendFlags;
    return this.#written;
  }

  /** Whether this send is still to be submitted. */
  isPending(send: number): boolean {
    const head = at(this.words, this.sqHead);
    return (send - 1 - head) >>> 0 < (this.#written - head) >>> 0;
  }

  /**
   * The end of this pending send waits for the FIN that is sent once it has completed, so that both go in one packet.
   * Of responses that end their connection, two in three are pending then: 3 % less CPU for each.
   */
  finFollows(send: number, length: number): void {
    const entry = ((send - 1) & this.sqMask) * kernel.sqe.words;
    this.sqes[entry + kernel.sqe.length] = length;
    this.sqes[entry + kernel.sqe.operationFlags] = sendFlags | kernel.MSG_MORE;
  }

  /** Closes a socket before `enter` returns. Completes only if it fails, which no open descriptor does. */
  closeDescriptor(fd: number): void {
    this.#entry(
      kernel.IORING_OP_CLOSE,
      kernel.IOSQE_CQE_SKIP_SUCCESS,
      0,
      fd,
      operation.close << operationShift,
      0,
    );
  }

  /** Completes once the descriptor can be read. */
  waitUntilReadable(fd: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_POLL_ADD, 0, 0, fd, low, high);
    this.sqes[entry + kernel.sqe.operationFlags] = kernel.POLLIN;
  }

  /**
   * Completes once the descriptor has failed, or nothing more can come or be sent (POLLERR and POLLHUP need no asking),
   * or one of these events has happened.
   */
  waitUntilBroken(fd: number, events: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_POLL_ADD, 0, 0, fd, low, high);
    this.sqes[entry + kernel.sqe.operationFlags] = events;
  }

  /** Cancels the operation that is known by the two words given last. */
  cancel(low: number, high: number, targetLow: number, targetHigh: number): void {
    const entry = this.#entry(kernel.IORING_OP_ASYNC_CANCEL, 0, 0, -1, low, high);
    this.sqes[entry + kernel.sqe.address] = targetLow;
    this.sqes[entry + kernel.sqe.address + 1] = targetHigh;
  }

  /** Cancels every operation on the descriptor. Each of them still completes. */
  cancelAll(fd: number, low: number, high: number): void {
    const entry = this.#entry(kernel.IORING_OP_ASYNC_CANCEL, 0, 0, fd, low, high);
    this.sqes[entry + kernel.sqe.operationFlags] =
      kernel.IORING_ASYNC_CANCEL_ALL | kernel.IORING_ASYNC_CANCEL_FD;
  }

  /**
   * Submits what was written and lets the kernel complete what is done; waits for that up to so long. Where more
   * than one completion is wanted, it waits a moment for so many, beside those of the sends that it submits: these
   * are there at once, as a rule. After the moment one is enough. Kernels before 6.12 know no such moments: one is
   * enough there. Returns how many sends it has submitted.
   *
   * A turn that doesn't wait (0) asks for all the same: the kernel deals with no more than 20 of what has happened
   * where fewer completions are asked for, and wakes nobody for the rest, even if these 20 have completed nothing.
   */
  enter(waitMs: number, wanted = 1): number {
    const toSubmit = this.#unsubmitted();
    const sends = this.#sends;
    this.#sends = 0;
    const seconds = Math.floor(waitMs / 1_000);
    this.timeout[0] = seconds;
    this.timeout[2] = Math.ceil((waitMs - seconds * 1_000) * 1e6);
    const isForSeveral = waitMs > 0 && wanted > 1 && this.knowsMoments;
    this.waitArgument[waitFields.leastUs] = isForSeveral ? momentUs : 0;
    const toWaitFor = waitMs === 0 ? this.cqMask + 1 : isForSeveral ? sends + wanted : 1;
    const flags = kernel.IORING_ENTER_GETEVENTS | kernel.IORING_ENTER_EXT_ARG;
    this.#enter(toSubmit, toWaitFor, flags, this.waitArgumentAt, waitFields.bytes);
    return sends;
  }

  /** Submits what was written, without a look at what has completed. */
  submit(): void {
    const count = this.#unsubmitted();
    if (count > 0) this.#enter(count, 0, 0, 0, 0);
  }

  #unsubmitted(): number {
    return (this.#written - at(this.words, this.sqHead)) >>> 0;
  }

  /** Gives every completion to `take`, which may write new operations; says how many there were. */
  reap(take: Completion): number {
    let taken = 0;
    let head = at(this.words, this.cqHead);
    // The ones that come meanwhile wait for the next turn.
    const tail = at(this.words, this.cqTail);
    while (head !== tail) {
      const entry = (head & this.cqMask) * kernel.cqe.words;
      const low = this.cqes[entry] ?? 0;
      const high = this.cqes[entry + 1] ?? 0;
      const result = this.cqes[entry + kernel.cqe.result] ?? 0;
      const flags = this.cqes[entry + kernel.cqe.flags] ?? 0;
      head = (head + 1) >>> 0;
      this.words[this.cqHead] = head;
      taken++;
      take(low, high, result, flags);
    }
    return taken;
  }

  /** Completions wait that were not taken. */
  get hasCompletions(): boolean {
    return at(this.words, this.cqHead) !== at(this.words, this.cqTail);
  }

  #entry(opcode: number, flags: number, ioprio: number, fd: number, low: number, high: number): number {
    if (this.#isFull()) this.#makeRoom();
    const entry = (this.#written & this.sqMask) * kernel.sqe.words;
    const sqes = this.sqes;
    // One by one: `fill` is a call, and takes longer.
    for (let word = 0; word < kernel.sqe.words; word++) sqes[entry + word] = 0;
    sqes[entry] = opcode | (flags << 8) | (ioprio << 16);
    sqes[entry + kernel.sqe.fd] = fd;
    sqes[entry + kernel.sqe.userData] = low;
    sqes[entry + kernel.sqe.userData + 1] = high;
    this.#written = (this.#written + 1) >>> 0;
    this.words[this.sqTail] = this.#written;
    return entry;
  }

  /**
   * The queue is full in the middle of a turn. Its last entry is complete: writing goes on only after this. Where the
   * kernel takes nothing for want of memory, it is asked again, and may complete what it has.
   */
  #makeRoom(): void {
    for (let tries = 0; this.#isFull(); tries++) {
      assert(tries <= failuresMax, 'The kernel takes operations, or its failure is thrown');
      this.#enter(this.sqMask + 1, 0, tries === 0 ? 0 : kernel.IORING_ENTER_GETEVENTS, 0, 0);
    }
  }

  #isFull(): boolean {
    return this.#unsubmitted() > this.sqMask;
  }

  /**
   * A failure is not the end: no time was left to wait, a signal came, the kernel is out of memory or wants completions
   * to be taken first. Another turn follows in any case. Only what fails on and on is given up.
   */
  #enter(toSubmit: number, toWaitFor: number, flags: number, argument: Pointer, bytes: number): void {
    const { syscall, errno } = this.libc;
    const result = syscall(kernel.SYS_io_uring_enter, this.fd, toSubmit, toWaitFor, flags, argument, bytes);
    if (result >= 0) {
      this.#failures = 0;
      this.#refusals = 0;
      return;
    }
    const why = errno();
    if (why === kernel.ETIME || why === kernel.EINTR) return;
    const isForbidden = why === kernel.EPERM || why === kernel.ENOSYS;
    this.#refusals = isForbidden ? this.#refusals + 1 : 0;
    if (++this.#failures > failuresMax || this.#refusals > refusalsMax)
      throw systemError('io_uring_enter', why);
    Atomics.wait(asleep, 0, 0, 1);
  }
}

const sendFlags = kernel.MSG_WAITALL | kernel.MSG_NOSIGNAL;
/** Some seconds: each is followed by a millisecond of sleep. */
const failuresMax = 5_000;
/** What is forbidden stays so; but a collection of garbage may have overwritten one errno with another. */
const refusalsMax = 3;
const asleep = new Int32Array(new SharedArrayBuffer(4));

/** Longer ones hardly save more, and this is less than what two switches of tasks may take. */
const momentUs = 50;
