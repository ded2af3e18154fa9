/** Node opens its debugger at SIGUSR1, until a listener of ours takes that signal. */

/** Closes a debugger that a signal has opened before it could be taken; one that was asked for by an option stays. */
export async function closeDebugger(): Promise<void> {
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(' ')];
  if (options.some((option) => /^--inspect(-brk|-wait)?(=|$)/.test(option))) return;
  // A Node may have been built without it.
  const inspector = await import('node:inspector').catch(() => undefined);
  if (inspector?.url() !== undefined) inspector.close();
}
