/** Addresses as the kernel has them: struct sockaddr_in, sockaddr_in6 and sockaddr_un, to and from ours. */
import { type AddressWords, addressText, addressWords, ipv6Text } from '../../core/addresses.ts';
import type { Address } from '../../core/contract.ts';
import { Endpoint } from '../../core/net/endpoint.ts';
import { AF_INET, AF_INET6, AF_UNIX } from './kernel.ts';

/** As long as the longest of them, sockaddr_un, and its closing zero. */
export const sockaddrBytes = 111;

/** The bytes of an address. `scopeOf` tells the number of a network interface, for `fe80::1%eth0`. */
export function encodeAddress(address: Address, scopeOf: (name: string) => number): Uint8Array<ArrayBuffer> {
  if ('path' in address) return encodePath(address.path);
  const { host, port } = address;
  const words = addressWords(host);
  if (words === undefined) throw new Error(`Expected an IP address, found ${host}`);
  const isIpv6 = host.includes(':');
  const bytes = new Uint8Array(isIpv6 ? 28 : 16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, isIpv6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  if (!isIpv6) {
    view.setInt32(4, words[3]);
    return bytes;
  }
  for (const [i, word] of words.entries()) view.setInt32(8 + 4 * i, word);
  const zone = host.indexOf('%');
  if (zone >= 0) view.setUint32(24, scopeOf(host.slice(zone + 1)), true);
  return bytes;
}

export function familyOf(sockaddr: Uint8Array): number {
  return sockaddr[0] ?? 0;
}

/** What an interface is called, by its number; undefined where it is gone. */
type ZoneOf = (scope: number) => string | undefined;

export function decodeEndpoint(sockaddr: Uint8Array, zoneOf: ZoneOf): Endpoint {
  const family = familyOf(sockaddr);
  if (family === AF_UNIX) return Endpoint.unix;
  if (family === AF_INET) return new Endpoint(ipv4Words(sockaddr), portOf(sockaddr));
  return new Endpoint(ipv6Words(sockaddr), portOf(sockaddr), zone(sockaddr, zoneOf));
}

/** As `decodeEndpoint`, but with the path of a unix socket, and without taking a mapped address for an IPv4 one. */
export function decodeBound(sockaddr: Uint8Array, length: number, zoneOf: ZoneOf): Address {
  const family = familyOf(sockaddr);
  if (family === AF_UNIX) return { path: Buffer.from(sockaddr.subarray(2, length - 1)).toString() };
  const port = portOf(sockaddr);
  if (family === AF_INET) return { host: addressText(ipv4Words(sockaddr)), port };
  const text = ipv6Text(ipv6Words(sockaddr));
  const name = zone(sockaddr, zoneOf);
  return { host: name === undefined ? text : `${text}%${name}`, port };
}

/** The zone of a link-local address (fe80::/10), which means something on its own link alone. */
function zone(sockaddr: Uint8Array, zoneOf: ZoneOf): string | undefined {
  if (sockaddr[8] !== 0xfe || ((sockaddr[9] ?? 0) & 0xc0) !== 0x80) return undefined;
  return zoneOf(new DataView(sockaddr.buffer, sockaddr.byteOffset).getUint32(24, true));
}

function portOf(sockaddr: Uint8Array): number {
  return ((sockaddr[2] ?? 0) << 8) | (sockaddr[3] ?? 0);
}

function ipv4Words(sockaddr: Uint8Array): AddressWords {
  return [0, 0, 0xffff, wordAt(sockaddr, 4)];
}

function ipv6Words(sockaddr: Uint8Array): AddressWords {
  return [wordAt(sockaddr, 8), wordAt(sockaddr, 12), wordAt(sockaddr, 16), wordAt(sockaddr, 20)];
}

function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] ?? 0) << 24) |
    ((bytes[at + 1] ?? 0) << 16) |
    ((bytes[at + 2] ?? 0) << 8) |
    (bytes[at + 3] ?? 0)
  );
}

function encodePath(path: string): Uint8Array<ArrayBuffer> {
  // Enough is left of a path that is too long for the kernel to refuse it.
  const name = Buffer.from(path).subarray(0, sockaddrBytes);
  const bytes = new Uint8Array(2 + name.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
}
