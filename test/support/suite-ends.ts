import { afterAll } from 'vitest';

/** Takes what ends the things that a suite starts, and runs it when the suite is over: the last first, and all. */
export function suiteEnds(): (end: () => unknown) => void {
  const ends: (() => unknown)[] = [];
  afterAll(async () => {
    const errors: unknown[] = [];
    for (const end of ends.reverse()) {
      try {
        await end();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }, 60_000);
  return (end) => void ends.push(end);
}
