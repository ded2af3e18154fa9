/**
 * Looks again and again until a claim about another process holds; fails with the last reason after the
 * deadline. For what can be awaited as an event, await the event.
 */
export async function eventually<T>(look: () => Promise<T> | T, deadlineMs = 15_000): Promise<T> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    try {
      return await look();
    } catch (error) {
      if (performance.now() > endMs) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Fulfils once a figure has stayed the same over many looks, for what stops without an event. */
export async function settled(figure: () => number, deadlineMs?: number): Promise<number> {
  let last = figure();
  let same = 0;
  return eventually(() => {
    const now = figure();
    same = now === last ? same + 1 : 0;
    last = now;
    if (same < looksAlike) throw new Error(`It still changes: ${now}`);
    return now;
  }, deadlineMs);
}

const looksAlike = 15;
