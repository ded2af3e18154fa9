/** The main thread's log, which also writes the lines that the workers have formatted. */
import { isatty } from 'node:tty';
import { type Logger, pino } from 'pino';
import type { LogConfig } from '../config/config.ts';
import { hasColours } from './colours.ts';
import { LineOrder } from './line-order.ts';
import { LineWriter } from './line-writer.ts';
import { lineFormat } from './lines.ts';
import { closeLogFile, openLogFile } from './log-file.ts';
import { prettyLine } from './pretty.ts';

export interface LogOptions {
  readonly level: LogConfig['level'];
  /** Without it, lines are JSON unless they go to a terminal. */
  readonly json?: boolean;
  /** Standard output unless told otherwise. */
  readonly fd?: number;
  /** Lines of JSON go to this file instead, by its absolute path. */
  readonly file?: string | undefined;
  /** Characters that may wait to be written; what comes beyond is dropped, and a later line says how much. */
  readonly maxWaiting?: number;
}

export interface Log {
  readonly logger: Logger;
  /** Whether its lines are JSON, and for programs. */
  readonly isJson: boolean;
  /** Lines that were dropped because nobody read them in time. */
  readonly linesDropped: number;
  /** Writes whole lines of JSON as they are, or pretty where the log is. */
  writeLines(lines: string): void;
  /** Has lines wait for older ones of workers: `unsentSinceMs` gives the time of the oldest that some has not sent. */
  waitFor(unsentSinceMs: () => number): void;
  setLevel(level: LogConfig['level']): void;
  /**
   * Makes ready to write to another file, or to where it wrote without one. Throws a LogFileError. What `move` gives
   * goes over to it, or does not.
   */
  move(file: string | undefined): LogMove;
  /** Opens its file again, which may have been renamed. Returns false where it has none. */
  reopen(): boolean;
  /** Fulfilled when everything is written, or when the reader has stalled for a second: it holds up nobody. */
  flush(): Promise<void>;
}

export interface LogMove {
  commit(): void;
  abandon(): void;
}

/** Throws a LogFileError. */
export function createLog(options: LogOptions): Log {
  return new OrderedLog(options);
}

interface LogFile {
  readonly path: string;
  readonly fd: number;
}

class OrderedLog implements Log {
  readonly logger: Logger;
  readonly #streamFd: number;
  readonly #isStreamJson: boolean;
  readonly #writer: LineWriter;
  readonly #order: LineOrder;
  readonly #isColoured: boolean;
  #unsentSinceMs = (): number => Number.POSITIVE_INFINITY;
  #file: LogFile | undefined;

  constructor({ level, fd = 1, file, json = !isatty(fd), maxWaiting = 4_194_304 }: LogOptions) {
    this.#streamFd = fd;
    this.#isStreamJson = json;
    this.#isColoured = hasColours(isatty(fd), process.env);
    if (file !== undefined) this.#file = { path: file, fd: openLogFile(file) };
    this.#writer = new LineWriter(this.#file?.fd ?? fd, maxWaiting, (dropped) =>
      this.logger.warn({ dropped }, 'log lines dropped'),
    );
    this.#order = new LineOrder(
      (lines) => this.#write(lines),
      () => this.#unsentSinceMs(),
    );
    // pino has its destination write all at once after a fatal line, with which a process may die.
    const destination = {
      write: (line: string) => this.#order.add(line),
      flushSync: () => this.#flushSync(),
    };
    this.logger = pino({ ...lineFormat, level }, destination);
  }

  get isJson(): boolean {
    return this.#file !== undefined || this.#isStreamJson;
  }

  get linesDropped(): number {
    return this.#writer.dropped;
  }

  waitFor(unsentSinceMs: () => number): void {
    this.#unsentSinceMs = unsentSinceMs;
  }

  writeLines(lines: string): void {
    this.#order.add(lines);
  }

  setLevel(level: LogConfig['level']): void {
    this.logger.level = level;
  }

  move(path: string | undefined): LogMove {
    const before = this.#file;
    if (path === before?.path) return stay;
    const file = path === undefined ? undefined : { path, fd: openLogFile(path) };
    return {
      commit: () => {
        this.#moveTo(file);
        this.logger.info({ from: before?.path ?? stream, to: path ?? stream }, 'log moved');
      },
      abandon: () => {
        if (file !== undefined) closeLogFile(file.fd);
      },
    };
  }

  reopen(): boolean {
    if (this.#file === undefined) return false;
    const { path } = this.#file;
    try {
      this.#moveTo({ path, fd: openLogFile(path) });
      this.logger.info({ file: path }, 'log file reopened');
    } catch (err) {
      this.logger.error({ err, file: path }, 'log file not reopened, the one that was open goes on');
    }
    return true;
  }

  /** What still waits to be written goes there too. */
  #moveTo(file: LogFile | undefined): void {
    const before = this.#file;
    this.#file = file;
    const moved = this.#writer.moveTo(file?.fd ?? this.#streamFd);
    if (before !== undefined) void moved.then(() => closeLogFile(before.fd));
  }

  async flush(): Promise<void> {
    this.#order.flush();
    await this.#writer.flush(1_000);
  }

  #flushSync(): void {
    this.#order.flush();
    this.#writer.flushSync();
  }

  #write(lines: string): void {
    if (this.isJson) return this.#writer.write(lines);
    for (const line of lines.trimEnd().split('\n')) this.#writer.write(prettyLine(line, this.#isColoured));
  }
}

const stream = 'standard output';
const stay: LogMove = { commit() {}, abandon() {} };
