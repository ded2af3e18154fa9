/**
 * Loaded before the program (`node --import`): from then on a system call fails as a seccomp profile of a container
 * would have it. `SLUICE_TEST_REFUSES` says which, by number, and with what, as in `425:1`. Linux on x64 and arm64.
 */
import { isMainThread } from 'node:worker_threads';
import * as kernel from '../../dist/src/drivers/uring/kernel.js';
import { loadLibc, mapMemory } from '../../dist/src/drivers/uring/libc.js';

function refuse(call, errno) {
  const libc = loadLibc();
  const memory = mapMemory(libc, 4096, kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS);
  const words = new Uint32Array(libc.view(memory, 4096));
  // struct sock_filter (linux/filter.h), four times: code and jumps in one word, then the operand.
  words.set([loadCallNumber, 0, jumpIfEqual, call, answer, errnoAnswer | errno, answer, allowAnswer]);
  // struct sock_fprog, 64 bytes on: how many, and where.
  words[16] = 4;
  words[18] = memory;
  words[19] = memory / 2 ** 32;
  const numbers = { x64: { prctl: 157 }, arm64: { prctl: 167 } }[process.arch];
  for (const [option, ...args] of [
    [noNewPrivileges, 1, 0],
    [setSeccomp, filterMode, memory + 64],
  ]) {
    if (libc.syscall(numbers.prctl, option, ...args, 0, 0, 0) !== 0) throw new Error(`prctl ${libc.errno()}`);
  }
}

/** BPF_LD | BPF_W | BPF_ABS, BPF_JMP | BPF_JEQ | BPF_K with a jump over one where it is not equal, BPF_RET | BPF_K. */
const loadCallNumber = 0x20;
const jumpIfEqual = 0x15 | (1 << 24);
const answer = 0x06;
/** SECCOMP_RET_ERRNO and SECCOMP_RET_ALLOW (linux/seccomp.h). */
const errnoAnswer = 0x0005_0000;
const allowAnswer = 0x7fff_0000;
/** PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP and SECCOMP_MODE_FILTER. */
const noNewPrivileges = 38;
const setSeccomp = 22;
const filterMode = 2;

// Threads that are started later inherit the filter.
if (isMainThread) refuse(...process.env.SLUICE_TEST_REFUSES.split(':').map(Number));
