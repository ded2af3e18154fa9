import type { InspectPolicy } from '../../core/plan.ts';
import { section } from './option.ts';
import { duration, oneOf, size } from './terms.ts';

/** Drivers hold no more of a client's first bytes. */
const mostInspectedBytes = 64 * 1024;

export const inspect = section(
  'How routes that ask for first bytes wait for them.',
  {
    timeout: duration('positive', {
      description: 'How long; who is silent until then goes to the pool, whose server may speak first.',
      default: 3_000,
    }),
    maxBytes: size(mostInspectedBytes, {
      description: 'Up to how many bytes, at most 64KiB.',
      default: 16 * 1024,
    }),
    undecided: oneOf(['refuse', 'fallback'], {
      description:
        'HTTP or TLS that leaves undecided what a route asks for (too long, malformed, two names): refuse, or take it for absent.',
      default: 'refuse',
    }),
  },
  ({ timeout, maxBytes, undecided }): InspectPolicy => ({ timeoutMs: timeout, maxBytes, undecided }),
);
