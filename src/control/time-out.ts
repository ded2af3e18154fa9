/**
 * A time-out for what other machines answer. It is believed only after what has come was read: a thread that was busy,
 * or stopped (SIGSTOP, a suspended machine), has answers in its sockets that no timer knows of.
 *
 * The time is counted in slices, each a timer of its own, so that the event loop reads what has come between two of
 * them. A slice that ended much too late was not there to be used, and does not count; of these there are as many as of
 * the others at most, so that the wait has an end on the busiest thread.
 */
const slices = 8;

/** Calls `over` when the time is over; the returned function cancels that. */
export function startTimeOut(timeoutMs: number, over: () => void): () => void {
  const sliceMs = Math.ceil(timeoutMs / slices);
  let leftMs = timeoutMs;
  let lateSlices = 0;
  let timer: NodeJS.Timeout | undefined;
  let lastLook: NodeJS.Immediate | undefined;

  const waitOn = (): void => {
    const waitMs = Math.min(sliceMs, leftMs);
    const dueMs = performance.now() + waitMs;
    timer = setTimeout(() => {
      const wasLate = performance.now() - dueMs > sliceMs;
      if (wasLate && lateSlices < slices) lateSlices++;
      else leftMs -= waitMs;
      if (leftMs > 0) waitOn();
      // The event loop reads its sockets between its timers and this.
      else lastLook = setImmediate(over);
    }, waitMs);
  };
  waitOn();

  return () => {
    clearTimeout(timer);
    clearImmediate(lastLook);
  };
}
