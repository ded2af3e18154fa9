/**
 * Buffers whose memory goes back to the system at once. Of others it does so with the next collection, and a process
 * that has become idle may make none.
 */

/** These types lack what every Node from 20 on has (ES2024). */
export function freeableBuffer(bytes: number): Buffer {
  const memory: ArrayBuffer = Reflect.construct(ArrayBuffer, [bytes, { maxByteLength: bytes }]);
  return Buffer.from(memory);
}

/** Frees it: neither the process nor the kernel may use it any more. Does nothing to other buffers. */
export function freeMemory(buffer: Buffer | undefined): void {
  const memory = buffer?.buffer;
  if (memory && 'resize' in memory && 'resizable' in memory && memory.resizable === true) {
    if (typeof memory.resize === 'function') memory.resize(0);
  }
}
