import type { LogConfig } from '../config.ts';
import { section } from './option.ts';
import { flag, oneOf } from './terms.ts';

/** What syslog, nginx, HAProxy and others call them. */
const otherLevels = {
  all: 'trace',
  verbose: 'debug',
  notice: 'info',
  warning: 'warn',
  err: 'error',
  crit: 'fatal',
  critical: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  off: 'silent',
  none: 'silent',
} as const;

export const log = section(
  'Log lines on standard output.',
  {
    level: oneOf(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      { description: 'The least that is worth a line.', default: 'info' },
      otherLevels,
    ),
    sessions: flag({ description: 'One line for each finished connection.', default: true }),
    emptySessions: flag({
      description:
        'Also for clients that left without a byte before they were routed, as the checks of balancers in front do.',
      default: true,
    }),
  },
  (log): LogConfig => log,
);
