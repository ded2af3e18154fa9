/** What this process was out of, for people. */
export const outOfDescriptors = 'Out of file descriptors';
export const outOfMemory = 'Out of memory for buffers';

/** What a dial of ours failed for want of, by the name of its errno. */
export function shortage(errno: string): string {
  const isOfDescriptors = errno === 'EMFILE' || errno === 'ENFILE';
  return `${isOfDescriptors ? outOfDescriptors : 'Out of memory'} (${errno})`;
}
