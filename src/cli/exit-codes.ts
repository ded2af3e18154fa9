/** 0: done, a graceful stop included. 1: failed at run time. 2: wrong configuration or usage. */
export const exitCodes = { done: 0, failed: 1, usage: 2 } as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A mistake in the arguments, said in a sentence. */
export class UsageError extends Error {}
