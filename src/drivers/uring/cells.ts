/**
 * Small pieces of memory for what a client has sent that waits for a backend. A buffer of 16 KiB that holds a few
 * bytes of somebody who may wait for long is a waste; once more than a few do, their bytes are copied here.
 */
import * as kernel from './kernel.ts';
import { type Libc, mapMemory, type Pointer } from './libc.ts';

export const cellBytes = 1024;
const slabCells = 1024;

export class Cells {
  readonly memory: Pointer;
  inUse = 0;
  readonly #libc: Libc;
  readonly #most: number;
  readonly #free: number[] = [];
  readonly #slabs: (Uint8Array | undefined)[] = [];
  /** Cells below this were used once. */
  #touched = 0;

  constructor(libc: Libc, most: number) {
    this.#libc = libc;
    this.#most = most;
    const flags = kernel.MAP_PRIVATE | kernel.MAP_ANONYMOUS | kernel.MAP_NORESERVE;
    this.memory = mapMemory(libc, Math.max(1, most) * cellBytes, flags);
  }

  get left(): number {
    return this.#most - this.inUse;
  }

  /** Only where one is left. */
  take(): number {
    this.inUse++;
    return this.#free.pop() ?? this.#touched++;
  }

  giveBack(cell: number): void {
    this.inUse--;
    this.#free.push(cell);
  }

  view(cell: number, start: number, end: number): Uint8Array {
    // A view of the cells that are touched alone: one view of all would be megabytes in the engine's accounts.
    const slab = Math.floor(cell / slabCells);
    let memory = this.#slabs[slab];
    if (memory === undefined) {
      const cells = Math.min(slabCells, this.#most - slab * slabCells);
      const address = this.memory + slab * slabCells * cellBytes;
      memory = new Uint8Array(this.#libc.view(address, cells * cellBytes));
      this.#slabs[slab] = memory;
    }
    const at = (cell % slabCells) * cellBytes;
    return memory.subarray(at + start, at + end);
  }

  /** Gives the system its memory back once no cell is in use; returns whether there is something to give back later. */
  releaseIdle(): boolean {
    if (this.inUse > 0) return true;
    if (this.#touched === 0) return false;
    this.#libc.madvise(this.memory, this.#touched * cellBytes, kernel.MADV_DONTNEED);
    this.#touched = 0;
    this.#free.length = 0;
    return false;
  }

  unmap(): void {
    this.#slabs.length = 0;
    this.#libc.munmap(this.memory, Math.max(1, this.#most) * cellBytes);
  }
}
