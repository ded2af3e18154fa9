/**
 * Writes lines to a descriptor without ever blocking or throwing, whatever reads them: a pipe that stalls, a
 * pipe whose reader is gone, a full disk. What waits is bounded; beyond it lines are dropped and counted.
 *
 * This is not pino's own destination because that one, when the reader leaves before the process does, tries
 * for ever to write the rest at exit (sonic-boom 4, flushSync).
 */
import { write as writeCallback, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { DestinationStream } from 'pino';
import { errorCode } from '../drivers/shared.ts';

const write = promisify(writeCallback);

/** A full pipe that does not block answers EAGAIN: how long to wait before trying again. */
const fullPipeMs = 20;
/** A reader that takes a little now and then must not keep the process for ever. */
const longestFlushMs = 10_000;
const looksAtReader = 10;

export class LineWriter implements DestinationStream {
  #fd: number;
  readonly #maxLength: number;
  readonly #onRecovered: (dropped: number) => void;
  #waiting: string[] = [];
  /** Characters that wait or are being written. */
  #length = 0;
  #idle: Promise<void> | undefined;
  #writtenBytes = 0;
  /** The write that is under way. */
  #written: Promise<unknown> = Promise.resolve();
  /** The reader is gone for good. */
  #broken = false;
  /** All lines that were dropped. */
  dropped = 0;
  /** Dropped lines that were not reported yet. */
  #untold = 0;

  /** `onRecovered` is told how many lines were dropped, once everything else has been written. */
  constructor(fd: number, maxLength: number, onRecovered: (dropped: number) => void) {
    this.#fd = fd;
    this.#maxLength = maxLength;
    this.#onRecovered = onRecovered;
  }

  /** Takes one or more whole lines. */
  write(lines: string): void {
    if (this.#broken || this.#length + lines.length > this.#maxLength) return this.#drop(lines);
    this.#waiting.push(lines);
    this.#length += lines.length;
    this.#idle ??= this.#writeAll();
  }

  /** Writes to this descriptor from now on. Fulfilled when the one before is in use no more. */
  async moveTo(fd: number): Promise<void> {
    this.#fd = fd;
    this.#broken = false;
    await this.#written;
  }

  /**
   * Fulfilled when all has been written, or when the reader has taken nothing for `stalledMs`; after ten seconds
   * anyway.
   */
  async flush(stalledMs: number): Promise<void> {
    const endMs = performance.now() + longestFlushMs;
    // Several short waits, for this thread may have been busy itself during one.
    for (let looks = 0; this.#idle !== undefined && looks < looksAtReader && performance.now() < endMs; ) {
      const before = this.#writtenBytes;
      await within(stalledMs / looksAtReader, this.#idle);
      looks = this.#writtenBytes > before ? 0 : looks + 1;
    }
  }

  /** Writes what waits at once, for a process that is about to die; pino calls it after a fatal line. */
  flushSync(): void {
    const rest = this.#takeWaiting();
    this.#length -= rest.length;
    try {
      writeSync(this.#fd, rest);
    } catch {
      this.#drop(rest);
    }
  }

  async #writeAll(): Promise<void> {
    // The lines of one turn of the event loop make one write, and one that dies in this turn can flush.
    await undefined;
    let left = '';
    while (this.#waiting.length > 0) {
      const lines = this.#takeWaiting();
      const written = this.#writeFully(this.#fd, Buffer.from(lines));
      this.#written = written;
      left = await written;
      this.#length -= lines.length;
      this.#drop(left);
    }
    this.#idle = undefined;
    // After a write that failed, telling would fail too, and be told of again.
    if (left === '') this.#tellOfDropped();
  }

  /** Returns what could not be written. */
  async #writeFully(fd: number, bytes: Buffer): Promise<string> {
    let written = 0;
    while (written < bytes.length) {
      try {
        const { bytesWritten } = await write(fd, bytes, written);
        written += bytesWritten;
        this.#writtenBytes += bytesWritten;
      } catch (error) {
        const code = errorCode(error);
        if (code === 'EPIPE') this.#broken = fd === this.#fd;
        if (code !== 'EAGAIN' || fd !== this.#fd) return bytes.toString('utf8', written);
        await sleep(fullPipeMs, undefined, { ref: false });
      }
    }
    return '';
  }

  #takeWaiting(): string {
    const lines = this.#waiting.join('');
    this.#waiting = [];
    return lines;
  }

  #tellOfDropped(): void {
    const dropped = this.#untold;
    this.#untold = 0;
    if (dropped > 0) this.#onRecovered(dropped);
  }

  #drop(lines: string): void {
    let dropped = 0;
    for (let at = lines.indexOf('\n'); at >= 0; at = lines.indexOf('\n', at + 1)) dropped++;
    this.dropped += dropped;
    this.#untold += dropped;
  }
}

async function within(deadlineMs: number, settled: Promise<unknown>): Promise<void> {
  const deadline = new AbortController();
  const timeout = sleep(deadlineMs, undefined, { signal: deadline.signal }).catch(() => undefined);
  await Promise.race([settled, timeout]);
  deadline.abort();
}
