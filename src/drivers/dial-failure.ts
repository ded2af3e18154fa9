/**
 * What it means that a backend could not be connected to, by the name of the error: one table for all drivers and for
 * the probes.
 *
 * - *This destination*, or only this attempt: `connect-refused` and `connect-failed`. The backend's breaker counts it,
 *   another backend is dialed, and a probe has failed.
 * - *This process*: `exhausted`. Another backend would fail alike, so nothing is held against this one.
 *
 * The errors are those of socket(2), connect(2), unix(7), ip(7) and ipv6(7). What is not listed, TLS's errors among
 * them, is the destination's: a backend that can't be reached must not stay a candidate for a reason nobody thought of.
 */
import type { Address, ConnectFailure } from '../core/contract.ts';

/** A code may be missing: an error that has none was not the system's. */
export function dialFailure(code: string | undefined): ConnectFailure {
  return table.get(code ?? '') ?? 'connect-failed';
}

/** Whether this process is out of something, whether it was about to connect, to accept or to open. */
export function isExhaustion(code: string | undefined): boolean {
  return dialFailure(code) === 'exhausted';
}

/**
 * Whether a unix socket has no room in its accept queue now. The backend lives and is busy: this is to be tried again
 * within the dial's own time, as the kernel does by itself for TCP, whose SYN it sends again. Only then has it failed.
 */
export function isFullQueue(code: string | undefined, address: Address): boolean {
  return code === 'EAGAIN' && 'path' in address;
}

const table: ReadonlyMap<string, ConnectFailure> = new Map([
  // No process listens there.
  ['ECONNREFUSED', 'connect-refused'],
  // A unix socket that nobody has made, or whose maker has ended and removed it.
  ['ENOENT', 'connect-refused'],

  // This process, or the whole system: no descriptor and no memory for any destination.
  ['EMFILE', 'exhausted'],
  ['ENFILE', 'exhausted'],
  ['ENOMEM', 'exhausted'],
  ['ENOBUFS', 'exhausted'],

  // This destination. No port is left towards this one address and port (the ports towards others are counted for
  // themselves), or this machine has no address of its family to come from, as in a container without IPv6.
  ['EADDRNOTAVAIL', 'connect-failed'],
  // As before, with a source address that was chosen.
  ['EADDRINUSE', 'connect-failed'],
  // This kernel does not speak the address's family at all (`ipv6.disable=1`).
  ['EAFNOSUPPORT', 'connect-failed'],
  ['EPROTONOSUPPORT', 'connect-failed'],
  // No way leads there, or the last router or neighbour on it does not answer.
  ['ENETUNREACH', 'connect-failed'],
  ['EHOSTUNREACH', 'connect-failed'],
  ['ENETDOWN', 'connect-failed'],
  ['EHOSTDOWN', 'connect-failed'],
  ['ENONET', 'connect-failed'],
  // The kernel has sent all the SYNs that it sends, before `connect.timeout` was over.
  ['ETIMEDOUT', 'connect-failed'],
  // A link-local address without its zone, a route of type blackhole, a path that is too long.
  ['EINVAL', 'connect-failed'],
  // A unix socket's permissions, a route of type prohibit, a broadcast address.
  ['EACCES', 'connect-failed'],
  // A firewall, a cgroup's filter or a security module that forbids this destination.
  ['EPERM', 'connect-failed'],
  // A unix socket whose accept queue was full to the end: see `isFullQueue`.
  ['EAGAIN', 'connect-failed'],
  // A unix socket of another type, which takes datagrams.
  ['EPROTOTYPE', 'connect-failed'],
  // A path that leads to no socket.
  ['ENOTSOCK', 'connect-failed'],
  ['ENOTDIR', 'connect-failed'],
  ['ELOOP', 'connect-failed'],
  ['ENAMETOOLONG', 'connect-failed'],

  // This attempt. The other end, or something on the way, has reset or aborted it; another may succeed.
  ['ECONNRESET', 'connect-failed'],
  ['ECONNABORTED', 'connect-failed'],
  ['EPIPE', 'connect-failed'],
  ['EPROTO', 'connect-failed'],
  ['EINTR', 'connect-failed'],
  ['ECANCELED', 'connect-failed'],
]);
