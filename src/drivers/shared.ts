/** What both drivers do alike, and so is said once. */
import type { Address } from '../core/contract.ts';

/** A link that is not joined is read until so many bytes of it are held; one read may go beyond. */
export const heldBytesMax = 64 * 1024;

/** An idle connection is asked for a sign of life after this. */
export const keepAliveDelayMs = 60_000;

/** The kernel takes the smaller of this and its own limit (`net.core.somaxconn`, 4096 as a rule). */
export const backlog = 4096;

/** Port 0 is another port each time. */
export function isSameAddress(one: Address, other: Address): boolean {
  if ('path' in one) return 'path' in other && one.path === other.path;
  return 'host' in other && one.host === other.host && one.port === other.port && one.port !== 0;
}

/** One thread stops accepting on an address: by then the others have been told to, as well. */
export const othersMs = 50;

/** A handshake takes no longer than this with nearly every client: it is the way there and back. */
export const handshakeMs = 200;

/**
 * A client that there is no descriptor for waits for so long before it is turned away: as a rule some are about to be
 * freed, of sessions that end just now.
 */
export const descriptorWaitMs = 100;

/**
 * `::` means every address. Where IPv6 is off, that is every IPv4 address: what to listen on instead of an address
 * whose binding failed with this error, if that is why.
 */
export function withoutIpv6(asked: Address, error: unknown): Address | undefined {
  const isOff = noIpv6.has(errorCode(error));
  return isOff && 'host' in asked && asked.host === '::' ? { ...asked, host: '0.0.0.0' } : undefined;
}

const noIpv6 = new Set<unknown>(['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']);

/** The errno's name of a system's error. */
export function errorCode(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
