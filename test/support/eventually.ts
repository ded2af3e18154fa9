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
