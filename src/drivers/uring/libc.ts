/** The C library, by way of koffi: the few calls that the ring has no operation for, or that cost less directly. */
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/** Pointers are numbers here: those of a process stay below 2⁴⁸. */
export type Pointer = number;

export interface Libc {
  /**
   * A result of -1 means a failure, and `errno` says which, if nothing else was done since: whatever the engine does
   * in between may overwrite it. After a success it is stale.
   */
  syscall(number: number, a: number, b: number, c: number, d: number, e: number, f: number): number;
  mmap(
    address: Pointer,
    bytes: number,
    protection: number,
    flags: number,
    fd: number,
    offset: number,
  ): Pointer;
  munmap(address: Pointer, bytes: number): number;
  madvise(address: Pointer, bytes: number, advice: number): number;
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, bytes: number): number;
  connect(fd: number, address: Uint8Array, bytes: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Uint8Array, bytes: Uint32Array, flags: number): number;
  getsockname(fd: number, address: Uint8Array, bytes: Uint32Array): number;
  getsockopt(fd: number, level: number, name: number, value: Uint32Array, bytes: Uint32Array): number;
  setsockopt(fd: number, level: number, name: number, value: Int32Array, bytes: number): number;
  shutdown(fd: number, how: number): number;
  fcntl(fd: number, command: number, value: number): number;
  close(fd: number): number;
  memcpy(to: Pointer, from: Pointer, bytes: number): Pointer;
  read(fd: number, into: Uint8Array, bytes: number): number;
  recv(fd: number, into: Uint8Array, bytes: number, flags: number): number;
  send(fd: number, from: Uint8Array, bytes: number, flags: number): number;
  /** `fds` are of `struct pollfd`. */
  poll(fds: Uint8Array, count: number, waitMs: number): number;
  eventfd(initially: number, flags: number): number;
  ifNameToIndex(name: string): number;
  /** Writes the name into 16 bytes, and gives it back. */
  ifIndexToName(index: number, into: Uint8Array): string | null;
  errno(): number;
  /** A view of memory that is mapped; it must not be touched once that no longer is. */
  view(address: Pointer, bytes: number): ArrayBuffer;
}

/** Throws where koffi is not installed, or has no build for this machine. */
export function loadLibc(): Libc {
  // The package is optional, so that it can't be imported like others; this is the type that it comes with.
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const library = koffi.load(null);
  const call = (name: string, result: string, ...parameters: string[]) =>
    library.func(name, result, parameters);
  // Where this thread's errno lies, in glibc and musl alike. To look there is no call, in which it might change.
  const errnoAt: number | bigint = call('__errno_location', 'int64')();
  const errnoOfThread = new Int32Array(koffi.view(BigInt(errnoAt), 4));
  return {
    syscall: call('syscall', 'int64', ...Array<string>(7).fill('int64')),
    mmap: call('mmap', 'int64', 'int64', 'int64', 'int', 'int', 'int', 'int64'),
    munmap: call('munmap', 'int', 'int64', 'int64'),
    madvise: call('madvise', 'int', 'int64', 'int64', 'int'),
    socket: call('socket', 'int', 'int', 'int', 'int'),
    bind: call('bind', 'int', 'int', 'void *', 'uint32'),
    connect: call('connect', 'int', 'int', 'void *', 'uint32'),
    listen: call('listen', 'int', 'int', 'int'),
    accept4: call('accept4', 'int', 'int', 'void *', 'void *', 'int'),
    getsockname: call('getsockname', 'int', 'int', 'void *', 'void *'),
    getsockopt: call('getsockopt', 'int', 'int', 'int', 'int', 'void *', 'void *'),
    setsockopt: call('setsockopt', 'int', 'int', 'int', 'int', 'void *', 'uint32'),
    shutdown: call('shutdown', 'int', 'int', 'int'),
    fcntl: call('fcntl', 'int', 'int', 'int', 'int'),
    close: call('close', 'int', 'int'),
    memcpy: call('memcpy', 'int64', 'int64', 'int64', 'int64'),
    read: call('read', 'int64', 'int', 'void *', 'int64'),
    recv: call('recv', 'int64', 'int', 'void *', 'int64', 'int'),
    send: call('send', 'int64', 'int', 'void *', 'int64', 'int'),
    poll: call('poll', 'int', 'void *', 'int64', 'int'),
    eventfd: call('eventfd', 'int', 'uint32', 'int'),
    ifNameToIndex: call('if_nametoindex', 'uint32', 'str'),
    ifIndexToName: call('if_indextoname', 'str', 'uint32', 'void *'),
    errno: () => errnoOfThread[0] ?? 0,
    view: (address, bytes) => koffi.view(BigInt(address), bytes),
  };
}

/** What a call of the system failed with, in the form that Node's own errors have. */
export function systemError(call: string, errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${call} ${code}`), { code, errno: -errno, syscall: call });
}

/** Maps memory of this process's own. The kernel gives pages as they are first touched. Throws a system error. */
export function mapMemory(libc: Libc, bytes: number, flags: number): Pointer {
  return mapped(libc, libc.mmap(0, bytes, protectionReadWrite, flags, -1, 0));
}

/** Maps what a descriptor stands for. Throws a system error. */
export function mapDescriptor(libc: Libc, fd: number, bytes: number, flags: number, offset: number): Pointer {
  return mapped(libc, libc.mmap(0, bytes, protectionReadWrite, flags, fd, offset));
}

/** PROT_READ | PROT_WRITE. */
const protectionReadWrite = 3;

function mapped(libc: Libc, address: Pointer): Pointer {
  if (address === -1) throw systemError('mmap', libc.errno());
  return address;
}
