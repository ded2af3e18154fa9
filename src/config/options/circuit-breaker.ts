/** When a backend that cannot be connected to gets no more sessions. */
import type { CircuitBreakerPolicy } from '../../core/plan.ts';
import { orOff, section, withDefault } from './option.ts';
import { checkOrder, duration, integer } from './terms.ts';

const breaker = section(
  'When to stop sending sessions to a backend that cannot be connected to.',
  {
    consecutiveFailures: integer(1, 1_000_000, {
      description: 'Failed attempts in a row after which the backend gets no more sessions.',
      default: 5,
    }),
    openFor: duration('positive', {
      description: 'How long that lasts before a trial; doubles each time a trial fails.',
      default: 5_000,
    }),
    maxOpenFor: duration('positive', { description: 'The longest that it grows to.', default: 300_000 }),
    halfOpenTrials: integer(1, 1_000_000, {
      description: 'Sessions let through at a time as trials.',
      default: 1,
    }),
  },
  ({ consecutiveFailures, openFor, maxOpenFor, halfOpenTrials }): CircuitBreakerPolicy => ({
    consecutiveFailures,
    openForMs: openFor,
    maxOpenForMs: maxOpenFor,
    halfOpenTrials,
  }),
  (values, location) => checkOrder(values, 'openFor', 'maxOpenFor', location),
);

export const circuitBreaker = withDefault(
  orOff(breaker, '"off" or a mapping', {
    description: 'When to stop sending sessions to a backend that cannot be connected to. On by default.',
    examples: ['off'],
  }),
  breaker.default,
);
