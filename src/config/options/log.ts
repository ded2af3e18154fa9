import type { LogConfig } from '../config.ts';
import { sessionFields } from '../session-fields.ts';
import { expects } from './json-schema.ts';
import { list, optional, section } from './option.ts';
import { filePath, flag, oneOf, orList, percent } from './terms.ts';

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
  'Log lines on standard output, or in a file.',
  {
    level: oneOf(
      ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'],
      { description: 'The least that is worth a line.', default: 'info' },
      otherLevels,
    ),
    file: optional(
      filePath({
        description:
          'A file that lines are added to, relative to this one; it is opened again at SIGUSR1. Defaults to standard output.',
        examples: ['/var/log/sluice/sluice.log'],
      }),
    ),
    sessions: flag({ description: 'One line for each finished connection.', default: true }),
    emptySessions: flag({
      description:
        'Also for clients that left without a byte before they were routed, as the checks of balancers in front do.',
      default: true,
    }),
    fields: optional(
      list(oneOf(sessionFields, { description: 'A field.' }), {
        minItems: 1,
        uniqueItems: true,
        description: 'What the lines of connections have, in this order. Defaults to all that is known.',
        examples: [['client', 'listener', 'backend', 'reason', 'durationMs']],
        [expects]: `a list of fields: ${orList(sessionFields)}`,
      }),
    ),
    sample: percent({
      description:
        'So many of the lines of connections that went well are written, by chance; what went wrong always has its line.',
      default: 100,
    }),
  },
  ({ sample, ...log }): LogConfig => ({ ...log, samplePercent: sample }),
);
