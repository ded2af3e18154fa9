/** Addresses on the command line, where a port alone is one on loopback. */
import { parseBind } from '../config/addresses.ts';
import { withoutCredentials } from '../config/credentials.ts';
import type { Address } from '../core/contract.ts';
import { UsageError } from './command.ts';

export function isPort(text: string): boolean {
  return /^[0-9]+$/.test(text);
}

export function onLoopback(text: string): string {
  return isPort(text) ? `127.0.0.1:${text}` : text;
}

/** Where the admin API listens, as an option or a variable says. Throws a UsageError, which names that. */
export function adminAddressIn(text: string, where = '--admin'): Address {
  const address = parseBind(onLoopback(text));
  if (address.ok) return address.value;
  throw new UsageError(`${where}: Expected ${address.expected}, found "${withoutCredentials(text)}"`);
}
