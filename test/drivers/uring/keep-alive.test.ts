import { describe, expect, it } from 'vitest';
import { KeepAlive } from '../../../src/drivers/uring/keep-alive.ts';

const second = 1_000;

function dialed() {
  const turnedOn: number[] = [];
  const keepAlive = new KeepAlive({ keepAlive: (fd) => turnedOn.push(fd) });
  const link = { fd: 7, serial: 1 };
  keepAlive.dialed(link, 0);
  return { keepAlive, link, turnedOn };
}

describe('KeepAlive', () => {
  it('is turned on once a connection is older than a second', () => {
    const { keepAlive, turnedOn } = dialed();
    expect(keepAlive.dueMs).toBe(second);
    keepAlive.due(second);
    expect(turnedOn).toEqual([]);
    keepAlive.due(2 * second);
    expect(turnedOn).toEqual([7]);
  });

  it('is looked after no more once it is on everywhere', () => {
    const { keepAlive, turnedOn } = dialed();
    for (const nowMs of [second, 2 * second, 3 * second]) keepAlive.due(nowMs);
    expect(turnedOn).toEqual([7]);
    expect(keepAlive.dueMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('leaves connections alone that have ended', () => {
    const { keepAlive, link, turnedOn } = dialed();
    link.fd = -1;
    for (const nowMs of [second, 2 * second]) keepAlive.due(nowMs);
    expect(turnedOn).toEqual([]);
  });

  it('takes a later connection of the same link for another one', () => {
    const { keepAlive, link, turnedOn } = dialed();
    keepAlive.due(second);
    link.serial = 2;
    keepAlive.dialed(link, second);
    keepAlive.due(2 * second);
    expect(turnedOn).toEqual([]);
    keepAlive.due(3 * second);
    expect(turnedOn).toEqual([7]);
  });
});
