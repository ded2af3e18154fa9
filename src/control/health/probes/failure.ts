import { isExhaustion } from '../../../drivers/dial-failure.ts';
import { errorCode } from '../../../drivers/shared.ts';

/** The error of a probe in words; the original is its cause. */
export function readable(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  return new Error(words(error), { cause: error });
}

/**
 * Whether the probe could not be made because this process is out of descriptors or memory: no fault of the backend.
 */
export function isOwnFault(error: unknown): boolean {
  return error instanceof Error && isExhaustion(errorCode(error.cause));
}

function words(error: Error): string {
  const code = errorCode(error);
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
  ['ETIMEDOUT', 'Connection timed out'],
  ['EHOSTUNREACH', 'No route to the host'],
  ['ENETUNREACH', 'Network unreachable'],
  ['ENOENT', 'No such socket'],
  ['ENOTSOCK', 'Not a socket'],
  // What connecting to a unix socket says when its backlog is full.
  ['EAGAIN', 'Too many connections wait to be accepted'],
  ['EACCES', 'Permission denied'],
  ['EPERM', 'Forbidden by a filter or policy of this machine'],
  ['ENETDOWN', 'Network down'],
  ['ECONNABORTED', 'Connection aborted'],
  ['EAFNOSUPPORT', 'This machine does not speak the protocol of the address'],
  ['EMFILE', 'This process has no file descriptor left'],
  ['ENFILE', 'This system has no file descriptor left'],
  ['ENOBUFS', 'This system has no buffer left'],
  ['ENOMEM', 'This system has no memory left'],
  ['EADDRNOTAVAIL', 'No port or address of this machine is left to reach the host from'],
]);
