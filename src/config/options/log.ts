import type { LogConfig, SessionLines } from '../config.ts';
import { meantFlag } from '../guesses.ts';
import { sessionFields } from '../session-fields.ts';
import { expects, guesses } from './json-schema.ts';
import { type Input, list, mapping, optional, type Reader, section, withDefault } from './option.ts';
import { duration, filePath, flag, oneOf, orList, percent } from './terms.ts';

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

const finished = flag({ description: 'One line for each finished connection.', default: true });

const andOpen = mapping(
  'Lines of connections that go on, besides those of finished ones.',
  {
    start: flag({ description: 'A line when a backend serves the connection.', default: true }),
    every: duration('off', {
      description: 'A line with what has passed so far, once in so long.',
      default: 0,
    }),
  },
  ({ start, every }): SessionLines => ({ start, everyMs: every === 0 ? Number.POSITIVE_INFINITY : every }),
  { example: '{ start: true, every: 10m }' },
);

type SessionsInput = Input<typeof finished> | Input<typeof andOpen>;

const sessions: Reader<SessionsInput, LogConfig['sessions']> = {
  schema: {
    anyOf: [finished.schema, andOpen.schema],
    description: 'One line for each finished connection; with a mapping, also for those that go on.',
    default: true,
    examples: [true, false, { start: true, every: '10m' }],
    [expects]: 'true, false or a mapping such as { start: true, every: 10m }',
    [guesses]: meantFlag,
  },
  read: (input, location) =>
    typeof input === 'boolean' ? finished.read(input, location) : andOpen.read(input, location),
};

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
    sessions: withDefault(sessions, true),
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
