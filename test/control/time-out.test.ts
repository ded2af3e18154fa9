import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimeOut } from '../../src/control/time-out.ts';

describe('startTimeOut', () => {
  describe('on a thread that has time', () => {
    beforeEach(() => {
      vi.useFakeTimers();
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    it.each([1, 7, 200, 1_001])('is over after %s ms', async (timeoutMs) => {
      const over = vi.fn();
      startTimeOut(timeoutMs, over);
      await vi.advanceTimersByTimeAsync(timeoutMs - 1);
      expect(over).not.toHaveBeenCalled();
      // The last look at what has come takes a turn of the loop, here a millisecond.
      await vi.advanceTimersByTimeAsync(2);
      expect(over).toHaveBeenCalledOnce();
      expect(vi.getTimerCount()).toBe(0);
    });

    it('is called off', async () => {
      const over = vi.fn();
      const cancelTimeOut = startTimeOut(200, over);
      await vi.advanceTimersByTimeAsync(199);
      cancelTimeOut();
      await vi.advanceTimersByTimeAsync(1_000);
      expect(over).not.toHaveBeenCalled();
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  it('reads what has come before it is believed, however long the thread was busy', async () => {
    const echo = new Worker(
      `const { parentPort } = require('node:worker_threads');
       parentPort.on('message', (message) => parentPort.postMessage(message));`,
      { eval: true },
    );
    await once(echo, 'online');
    const over = vi.fn();
    const cancelTimeOut = startTimeOut(40, over);
    echo.postMessage('question');
    const answer = once(echo, 'message');
    busy(200);
    await answer;
    expect(over).not.toHaveBeenCalled();
    cancelTimeOut();
    await echo.terminate();
  });

  it('ends on a thread that is always busy', async () => {
    await new Promise<void>((resolve) => {
      const keepBusy = setInterval(() => busy(20), 1);
      startTimeOut(40, () => {
        clearInterval(keepBusy);
        resolve();
      });
    });
  });
});

/** Blocks this thread, as a long piece of work does. */
function busy(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
