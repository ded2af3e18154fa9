/** The file that the log goes to, where that is not standard output. */
import { closeSync, openSync } from 'node:fs';
import { systemErrorText } from '../config/named-files.ts';

/** A file that the log can't be written to: said in a sentence. */
export class LogFileError extends Error {}

/** Gives a descriptor that adds to the file's end, and makes the file where there is none. Throws a LogFileError. */
export function openLogFile(path: string): number {
  try {
    return openSync(path, 'a', fileMode);
  } catch (error) {
    throw new LogFileError(`Cannot write the log to ${path}: ${systemErrorText(error)}`, { cause: error });
  }
}

export function closeLogFile(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // What it told last, a full disk for instance, was told by its writes already.
  }
}

/** Addresses of clients are for the owner and the group alone. */
const fileMode = 0o640;
