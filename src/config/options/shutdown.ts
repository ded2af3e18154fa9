import type { ShutdownConfig } from '../config.ts';
import { section } from './option.ts';
import { duration } from './terms.ts';

export const shutdown = section(
  'Stopping.',
  {
    delay: duration('zero', {
      description:
        'How long listeners go on accepting after SIGTERM or SIGINT while /readyz answers 503, so that balancers in front notice.',
      default: 0,
    }),
    grace: duration('zero', {
      description:
        'How long open connections may take to finish after SIGTERM or SIGINT, and after the delay.',
      default: 30_000,
    }),
  },
  ({ delay, grace }): ShutdownConfig => ({ delayMs: delay, graceMs: grace }),
);
