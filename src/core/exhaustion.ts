/** What this process was out of, for people. */
export const outOfDescriptors = 'Out of file descriptors';
export const outOfMemory = 'Out of memory for buffers';

/** What we lacked for a dial, by the name of its errno. */
export function shortage(errno: string): string {
  return `${isOfDescriptors(errno) ? outOfDescriptors : 'Out of memory'} (${errno})`;
}

/** Whether the process, or the whole system, is out of descriptors. */
export function isOfDescriptors(errno: string): boolean {
  return errno === 'EMFILE' || errno === 'ENFILE';
}
