/**
 * How the turns of a driver come about. In a thread of its own the driver blocks in the ring: that is cheapest, and
 * Node's event loop gets a turn only when there is something for it. Elsewhere the event loop goes on, and an
 * eventfd tells it that the ring wants a turn: about 15 % more CPU for each request.
 */
import { Alarm } from '../alarm.ts';
import type { DriverHost } from '../driver.ts';
import * as kernel from './kernel.ts';
import { type Libc, systemError } from './libc.ts';
import type { Ring } from './ring.ts';

export interface Turning {
  /** Submits, waits for up to so long, and deals with what has completed: says how much that was. */
  turn(waitMs: number): number;
  /** Something is to be done in a further turn, whether or not anything completes. */
  readonly mustGoOn: boolean;
  /** The time given to `wakeAt` has come. */
  due(): void;
  readonly host: Pick<DriverHost, 'now' | 'receive'>;
}

export interface Turns {
  /** For the control plane to write to; undefined where the event loop goes on anyway. */
  readonly wakeFd: number | undefined;
  /** Something was written to the ring, or is to be emitted, outside of a turn. */
  soon(): void;
  wakeAt(deadlineMs: number | undefined): void;
  /** The control plane has written to `wakeFd`. */
  woken(): void;
  /** Promises have been settled: whoever waits for them needs a turn of the event loop. */
  yieldSoon(): void;
  close(): void;
}

/** In Node's event loop. */
export class EventLoopTurns implements Turns {
  readonly wakeFd = undefined;
  readonly #libc: Libc;
  readonly #ring: Ring;
  readonly #driver: Turning;
  readonly #alarm: Alarm;
  readonly #eventfd: number;
  readonly #poll: { close(): void };
  #immediate: NodeJS.Immediate | undefined;
  #isTurning = false;
  #isClosed = false;

  constructor(libc: Libc, ring: Ring, driver: Turning) {
    this.#libc = libc;
    this.#ring = ring;
    this.#driver = driver;
    this.#alarm = new Alarm({ now: () => driver.host.now(), deadline: () => driver.due() });
    this.#eventfd = openEventfd(libc);
    ring.registerEventfd(this.#eventfd);
    this.#poll = libc.poll(this.#eventfd, () => {
      libc.read(this.#eventfd, counter, counter.length);
      this.#turn();
    });
  }

  soon(): void {
    if (!this.#isTurning) this.#immediate ??= setImmediate(() => this.#turn());
  }

  wakeAt(deadlineMs: number | undefined): void {
    this.#alarm.set(deadlineMs);
  }

  woken(): void {}

  yieldSoon(): void {}

  close(): void {
    this.#isClosed = true;
    clearImmediate(this.#immediate);
    this.#alarm.set(undefined);
    this.#poll.close();
    this.#libc.close(this.#eventfd);
  }

  /** The eventfd tells once of all there is, so that nothing may be left; fairness ends it after a while. */
  #turn(): void {
    if (this.#isClosed) return;
    clearImmediate(this.#immediate);
    this.#immediate = undefined;
    this.#isTurning = true;
    let hasMore = true;
    for (let turns = 0; hasMore && turns < turnsInARow; turns++) {
      const completed = this.#driver.turn(0);
      // A closed driver's ring is not there any more.
      if (this.#isClosed) return;
      hasMore = completed > 0 || this.#ring.hasUnsubmitted || this.#driver.mustGoOn;
    }
    this.#isTurning = false;
    if (hasMore) this.soon();
  }
}

const turnsInARow = 16;
/** Where the counts of eventfds go, which nobody looks at. */
const counter = new Uint8Array(8);

/** In a thread that does nothing else. */
export class ThreadTurns implements Turns {
  /** Closed by whom it was given to: the control plane may be about to write to it at any time. */
  readonly wakeFd: number;
  readonly #libc: Libc;
  readonly #driver: Turning;
  #deadlineMs: number | undefined;
  #owesEventLoop = false;
  #hasNews = false;
  #isClosed = false;

  constructor(libc: Libc, driver: Turning) {
    this.#libc = libc;
    this.#driver = driver;
    this.wakeFd = openEventfd(libc);
    setImmediate(() => this.#run());
  }

  soon(): void {
    this.#hasNews = true;
  }

  wakeAt(deadlineMs: number | undefined): void {
    this.#deadlineMs = deadlineMs;
  }

  woken(): void {
    this.#libc.read(this.wakeFd, counter, counter.length);
    this.#driver.host.receive();
    this.yieldSoon();
  }

  yieldSoon(): void {
    this.#owesEventLoop = true;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Blocks again and again, until the event loop is owed a turn; that comes back right away. */
  #run(): void {
    const { host } = this.#driver;
    const endMs = host.now() + longestRunMs;
    this.#owesEventLoop = false;
    let nowMs = host.now();
    while (!this.#isClosed && !this.#owesEventLoop && nowMs < endMs) {
      const untilMs = Math.min(endMs, this.#deadlineMs ?? endMs);
      const mayWait = !this.#hasNews && !this.#driver.mustGoOn;
      this.#driver.turn(mayWait ? Math.max(0, untilMs - nowMs) : 0);
      // Whatever the turn wrote to the ring goes with the next one.
      this.#hasNews = false;
      nowMs = host.now();
      if (!this.#isClosed && nowMs >= (this.#deadlineMs ?? Number.POSITIVE_INFINITY)) {
        this.#deadlineMs = undefined;
        this.#driver.due();
      }
    }
    if (!this.#isClosed) setImmediate(() => this.#run());
  }
}

/**
 * So often the event loop gets a turn in any case, for the engine's own tasks, and so late a thread notices that it
 * is to be terminated.
 */
const longestRunMs = 500;

function openEventfd(libc: Libc): number {
  const fd = libc.eventfd(0, kernel.EFD_CLOEXEC | kernel.EFD_NONBLOCK);
  if (fd < 0) throw systemError('eventfd', libc.errno());
  return fd;
}
