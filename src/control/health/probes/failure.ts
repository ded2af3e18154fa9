/** The error of a probe in words; the original is its cause. */
export function readable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return new Error(words(error), { cause: error });
}

/** Whether the probe could not be made because this process is out of something: no fault of the backend. */
export function isExhaustion(error: unknown): boolean {
  return error instanceof Error && exhaustions.has(codeOf(error.cause) ?? '');
}

const exhaustions = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

function words(error: Error): string {
  const code = codeOf(error);
  const known = code === undefined ? undefined : sentences.get(code);
  if (known !== undefined) return known;
  // OpenSSL's message is a line of numbers and source files; its reason is the part that speaks.
  if ('reason' in error && typeof error.reason === 'string') return `TLS failed: ${error.reason}`;
  return error.message;
}

const sentences: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'Connection refused'],
  ['ECONNRESET', 'Connection reset'],
  ['EPIPE', 'Connection closed early'],
  ['UND_ERR_SOCKET', 'Connection closed before the response was complete'],
  ['ETIMEDOUT', 'Connection timed out'],
  ['EHOSTUNREACH', 'No route to the host'],
  ['ENETUNREACH', 'Network unreachable'],
  ['ENOENT', 'No such socket'],
  ['ENOTSOCK', 'Not a socket'],
  // What connecting to a unix socket says when its backlog is full.
  ['EAGAIN', 'Too many connections wait to be accepted'],
  ['EACCES', 'Permission denied'],
  ['EMFILE', 'This process has no file descriptor left'],
  ['ENFILE', 'This system has no file descriptor left'],
  ['EADDRNOTAVAIL', 'This system has no free port left'],
]);

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
