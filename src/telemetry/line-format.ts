import { type LoggerOptions, stdTimeFunctions } from 'pino';

/**
 * How every log line looks, whichever thread writes it: the level as a word, the time as RFC 3339 in UTC, the
 * fields, and the message last. No process id or host name: what collects the lines knows them.
 */
export const lineFormat = {
  base: null,
  timestamp: stdTimeFunctions.isoTime,
  formatters: { level: (level) => ({ level }) },
} satisfies LoggerOptions;
