/** Programs that the kernel runs for each packet that comes to a socket: classic BPF, as linux/filter.h has it. */
import * as kernel from './kernel.ts';
import { type Libc, mapMemory } from './libc.ts';
import { writeAddress } from './ring-memory.ts';

/** One `struct sock_filter` a row: what to do, how far to jump if it is so and if not, and a number. */
type Program = readonly (readonly [code: number, ifTrue: number, ifFalse: number, number: number])[];

/**
 * Drops the packets that begin a handshake, SYN without ACK, and takes all others. At a TCP socket that listens, a
 * packet begins with its TCP header, whose flags are in the byte at 13.
 */
export const noFirstSyn: Program = [
  [kernel.BPF_LD | kernel.BPF_B | kernel.BPF_ABS, 0, 0, 13],
  [kernel.BPF_ALU | kernel.BPF_AND | kernel.BPF_K, 0, 0, kernel.TH_SYN | kernel.TH_ACK],
  [kernel.BPF_JMP | kernel.BPF_JEQ | kernel.BPF_K, 0, 1, kernel.TH_SYN],
  [kernel.BPF_RET | kernel.BPF_K, 0, 0, 0],
  [kernel.BPF_RET | kernel.BPF_K, 0, 0, 0xffff_ffff],
];

/** The kernel copies the program. Where it takes none, the socket goes on without. */
export function attachFilter(libc: Libc, fd: number, program: Program): void {
  const bytes = program.length * 8;
  const address = mapMemory(libc, bytes, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
  try {
    const rows = new Uint32Array(libc.view(address, bytes));
    program.forEach(([code, ifTrue, ifFalse, number], row) => {
      rows[2 * row] = code | (ifTrue << 16) | (ifFalse << 24);
      rows[2 * row + 1] = number;
    });
    // struct sock_fprog: a short, and a pointer.
    const argument = new Uint32Array(4);
    argument[0] = program.length;
    writeAddress(argument, 2, address);
    const value = new Int32Array(argument.buffer);
    libc.setsockopt(fd, kernel.SOL_SOCKET, kernel.SO_ATTACH_FILTER, value, value.byteLength);
  } finally {
    libc.munmap(address, bytes);
  }
}
