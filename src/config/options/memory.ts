import type { MemoryConfig } from '../config.ts';
import { formatSize, meantSize, parseSize } from '../sizes.ts';
import { expects, guesses } from './json-schema.ts';
import { type Option, section } from './option.ts';
import { sizeForms } from './terms.ts';

/** Enough for two workers to hold a full buffer for about ten slow readers each. */
const leastBufferBytes = 8 * 2 ** 20;

const buffers: Option<number | string, MemoryConfig['bufferBytes']> = {
  schema: {
    anyOf: [{ enum: ['auto'] }, ...sizeForms],
    description:
      "All that peers can make the proxy hold, over all workers; auto is a quarter of the container's or machine's memory, at most 512MiB.",
    default: 'auto',
    examples: ['auto', '128MiB'],
    [expects]: '"auto" or a size such as "128MiB"',
    [guesses]: meantSize(Number.MAX_SAFE_INTEGER),
  },
  default: 'auto',
  read: (input, location) => {
    if (input === 'auto') return 'auto';
    const bytes = location.parsed(parseSize(input), leastBufferBytes);
    if (bytes < leastBufferBytes) location.expected(`at least "${formatSize(leastBufferBytes)}"`);
    return bytes;
  },
};

export const memory = section(
  'Memory.',
  { buffers },
  (values): MemoryConfig => ({
    bufferBytes: values.buffers,
  }),
);
