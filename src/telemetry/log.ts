/** The main thread's log, which also writes the lines that the workers have formatted. */
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { LogConfig } from '../config/config.ts';
import { LineWriter } from './line-writer.ts';
import { lineFormat } from './lines.ts';

export interface LogOptions {
  readonly level: LogConfig['level'];
  /** Without it, lines are JSON unless they go to a terminal. */
  readonly json?: boolean;
  /** Standard output unless told otherwise. */
  readonly fd?: number;
  /** Characters that may wait to be written; what comes beyond is dropped, and a later line says how much. */
  readonly maxWaiting?: number;
}

export interface Log {
  readonly logger: Logger;
  /** Writes whole lines of JSON as they are, or pretty where the log is. */
  writeLines(lines: string): void;
  setLevel(level: LogConfig['level']): void;
  /** Fulfilled when everything is written, or when the reader has stalled for a second: it holds up nobody. */
  flush(): Promise<void>;
}

export function createLog({ level, fd = 1, json = !isatty(fd), maxWaiting = 4_194_304 }: LogOptions): Log {
  const writer = new LineWriter(fd, maxWaiting, (dropped) => logger.warn({ dropped }, 'log lines dropped'));
  const destination = json ? writer : prettyInto(writer);
  const logger = pino({ ...lineFormat, level }, destination);
  return {
    logger,
    writeLines: (lines) => destination.write(lines),
    setLevel: (to) => {
      logger.level = to;
    },
    flush: () => writer.flush(1_000),
  };
}

function prettyInto(writer: LineWriter): DestinationStream & { flushSync(): void } {
  const pretty = prettyFactory({ colorize: true, singleLine: true, translateTime: 'SYS:HH:MM:ss.l' });
  return {
    write(lines) {
      for (const line of lines.split('\n')) if (line !== '') writer.write(pretty(line));
    },
    flushSync: () => writer.flushSync(),
  };
}
