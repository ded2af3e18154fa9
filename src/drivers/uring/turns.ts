/**
 * How the turns of a driver come about: it blocks in the ring, again and again, and Node's event loop gets a turn only
 * when there is something for it. So a driver takes a whole thread.
 */
import type { DriverHost } from '../driver.ts';
import * as kernel from './kernel.ts';
import { type Libc, systemError } from './libc.ts';

export interface Turning {
  /** Submits, waits for up to so long, and deals with what has completed: says how much that was. */
  turn(waitMs: number): number;
  /** When the last turn took its completions. */
  readonly turnMs: number;
  /** Something is to be done in a further turn, whether or not anything completes. */
  readonly mustGoOn: boolean;
  /** The time given to `wakeAt` has come. */
  due(): void;
  readonly host: Pick<DriverHost, 'now' | 'receive'>;
}

export class Turns {
  /** Closed by whom it was given to: the control plane may be about to write to it at any time. */
  readonly wakeFd: number;
  readonly #libc: Libc;
  readonly #driver: Turning;
  #deadlineMs = Number.POSITIVE_INFINITY;
  #owesEventLoop = false;
  #isClosed = false;

  constructor(libc: Libc, driver: Turning) {
    this.#libc = libc;
    this.#driver = driver;
    this.wakeFd = libc.eventfd(0, kernel.EFD_CLOEXEC | kernel.EFD_NONBLOCK);
    if (this.wakeFd < 0) throw systemError('eventfd', libc.errno());
    setImmediate(() => this.#run());
  }

  wakeAt(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
  }

  /** The control plane has written to `wakeFd`. */
  woken(): void {
    this.#libc.read(this.wakeFd, counter, counter.length);
    this.#driver.host.receive();
    this.yieldSoon();
  }

  /** Promises have been settled: code that awaits them needs a turn of the event loop. */
  yieldSoon(): void {
    this.#owesEventLoop = true;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Until the event loop is owed a turn; that comes back right away. */
  #run(): void {
    const driver = this.#driver;
    this.#owesEventLoop = false;
    let nowMs = driver.host.now();
    const endMs = nowMs + longestRunMs;
    while (!this.#isClosed && !this.#owesEventLoop && nowMs < endMs) {
      const untilMs = Math.min(endMs, this.#deadlineMs);
      driver.turn(driver.mustGoOn ? 0 : Math.max(0, untilMs - nowMs));
      nowMs = driver.turnMs;
      if (!this.#isClosed && nowMs >= this.#deadlineMs) this.#due();
    }
    if (!this.#isClosed) setImmediate(() => this.#run());
  }

  /** A time-out is believed only once all was taken that had come: the process may have been stopped for a while. */
  #due(): void {
    for (let turns = 0; turns < turnsBeforeDeadline; turns++) {
      if (this.#driver.turn(0) === 0 || this.#isClosed) break;
    }
    if (this.#isClosed) return;
    this.#deadlineMs = Number.POSITIVE_INFINITY;
    this.#driver.due();
  }
}

/**
 * The event loop gets a turn after this in any case, for the engine's own tasks. A thread notices no later that it is
 * to be terminated.
 */
const longestRunMs = 500;
/** What comes on and on does not put a deadline off. */
const turnsBeforeDeadline = 8;
/** Where the counts of eventfds go, which nobody looks at. */
const counter = new Uint8Array(8);
