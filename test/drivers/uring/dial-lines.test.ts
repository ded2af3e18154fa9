import { expect, test } from 'vitest';
import { EAGAIN, ECONNREFUSED } from '../../../src/drivers/uring/kernel.ts';
import { type DialingLink, UnixDials } from '../../../src/drivers/uring/unix-dials.ts';

const path = new Uint8Array([1, 0, 47, 97]);
const otherPath = new Uint8Array([1, 0, 47, 98]);

class DialedLink implements DialingLink {
  serial = 1;
  outcome: number | undefined;

  readonly fd: number;

  constructor(fd: number) {
    this.fd = fd;
  }

  connectedUnix(errno: number): void {
    this.outcome = errno;
  }
}

/** A backend's queue, which takes so many and says how often it was asked. */
class Queue {
  room = 0;
  asked = 0;
  readonly order: number[] = [];
  answer = EAGAIN;

  connectUnix(fd: number): number {
    this.asked++;
    if (this.room === 0) return this.answer;
    this.room--;
    this.order.push(fd);
    return 0;
  }
}

/** So many dials to a full queue, at 0. */
function waiting(count: number, queue: Queue): { readonly links: DialedLink[]; readonly dials: UnixDials } {
  const dials = new UnixDials(queue);
  const links = Array.from({ length: count }, (_, fd) => new DialedLink(fd));
  for (const link of links) dials.dial(link, path, 0);
  return { links, dials };
}

/** When all are told, of a backend that makes room for one each millisecond from this time on. */
function emptiedFrom(fromMs: number, links: readonly DialedLink[], dials: UnixDials, queue: Queue): number {
  for (let nowMs = 0; nowMs < 60_000; nowMs++) {
    if (nowMs >= fromMs) queue.room = 1;
    if (nowMs >= dials.dueMs) dials.due(nowMs);
    if (links.every(({ outcome }) => outcome === 0)) return nowMs;
  }
  throw new Error('Some wait for ever');
}

test('UnixDials fills a short queue as fast as it is emptied, in the order in which they came', () => {
  const queue = new Queue();
  const { links, dials } = waiting(300, queue);
  const askedAtFirst = queue.asked;
  expect(emptiedFrom(2_000, links, dials, queue)).toBeLessThan(2_000 + 2 * 300);
  expect(queue.order).toEqual(links.map(({ fd }) => fd));
  expect(askedAtFirst).toBe(1);
  expect(dials.dueMs).toBe(Number.POSITIVE_INFINITY);
});

test("UnixDials forgets who was closed, and tells all once the path is nobody's", () => {
  const queue = new Queue();
  const { links, dials } = waiting(3, queue);
  const [first, second, third] = links;
  if (first) first.serial++;
  queue.answer = ECONNREFUSED;
  dials.due(1);
  expect([first, second, third].map((link) => link?.outcome)).toEqual([
    undefined,
    ECONNREFUSED,
    ECONNREFUSED,
  ]);
  expect(queue.asked).toBe(3);
});

test('UnixDials asks another path at once while one waits', () => {
  const queue = new Queue();
  const { dials } = waiting(3, queue);
  queue.room = 1;
  const other = new DialedLink(9);
  dials.dial(other, otherPath, 0);
  expect(other.outcome).toBe(0);
});
