import type { SessionTimeouts } from '../../core/plan.ts';
import { section } from './option.ts';
import { duration } from './terms.ts';

export const timeouts = section(
  'When a session ends that does not end by itself.',
  {
    idle: duration('unlimited', {
      description: 'Ends a session after this long without a byte in either direction.',
      default: 600_000,
    }),
    halfClosed: duration('unlimited', {
      description: 'Ends a session once one side has finished and the other was silent for this long.',
      default: 60_000,
    }),
    maxLifetime: duration('unlimited', {
      description: 'Ends a session that is this old, whatever it does.',
      default: Infinity,
    }),
  },
  ({ idle, halfClosed, maxLifetime }): SessionTimeouts => ({
    idleMs: idle,
    halfClosedMs: halfClosed,
    maxLifetimeMs: maxLifetime,
  }),
);
