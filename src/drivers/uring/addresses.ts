/** Addresses as the kernel has them: struct sockaddr_in, sockaddr_in6 and sockaddr_un, to and from ours. */
import { addressWords } from '../../core/addresses.ts';
import type { Address, Client } from '../../core/contract.ts';
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

/** `address` in canonical text (RFC 5952), an IPv4-mapped one as IPv4, a link-local one with its zone. */
export function decodeClient(sockaddr: Uint8Array, zoneOf: ZoneOf): Client {
  const family = familyOf(sockaddr);
  if (family === AF_UNIX) return unixClient;
  const port = ((sockaddr[2] ?? 0) << 8) | (sockaddr[3] ?? 0);
  if (family === AF_INET) return { address: ipv4Text(sockaddr, 4), port };
  const isMapped = sockaddr.subarray(8, 20).every((byte, i) => byte === (i < 10 ? 0 : 0xff));
  return {
    address: isMapped ? ipv4Text(sockaddr, 20) : ipv6Text(sockaddr, 8) + zone(sockaddr, zoneOf),
    port,
  };
}

/** As `decodeClient`, but with the path of a unix socket, and without taking a mapped address for an IPv4 one. */
export function decodeBound(sockaddr: Uint8Array, length: number, zoneOf: ZoneOf): Address {
  const family = familyOf(sockaddr);
  if (family === AF_UNIX) return { path: Buffer.from(sockaddr.subarray(2, length - 1)).toString() };
  const port = ((sockaddr[2] ?? 0) << 8) | (sockaddr[3] ?? 0);
  const host = family === AF_INET ? ipv4Text(sockaddr, 4) : ipv6Text(sockaddr, 8) + zone(sockaddr, zoneOf);
  return { host, port };
}

/** The zone of a link-local address (fe80::/10), which means something on its own link alone: `%eth0`. */
function zone(sockaddr: Uint8Array, zoneOf: ZoneOf): string {
  if (sockaddr[8] !== 0xfe || ((sockaddr[9] ?? 0) & 0xc0) !== 0x80) return '';
  const name = zoneOf(new DataView(sockaddr.buffer, sockaddr.byteOffset).getUint32(24, true));
  return name === undefined ? '' : `%${name}`;
}

export const unixClient: Client = { address: 'unix', port: 0 };

function encodePath(path: string): Uint8Array<ArrayBuffer> {
  // Of a path that is too long enough is left for the kernel to refuse it.
  const name = Buffer.from(path).subarray(0, sockaddrBytes);
  const bytes = new Uint8Array(2 + name.length + 1);
  bytes[0] = AF_UNIX;
  bytes.set(name, 2);
  return bytes;
}

/** A client's text is kept for its next connections: making it takes longer, and each would be a string of its own. */
function ipv4Text(bytes: Uint8Array, at: number): string {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
  const word = (a << 24) | (b << 16) | (c << 8) | d;
  const known = ipv4Texts.get(word);
  if (known !== undefined) return known;
  const text = `${a}.${b}.${c}.${d}`;
  if (ipv4Texts.size >= ipv4TextsMax) ipv4Texts.clear();
  ipv4Texts.set(word, text);
  return text;
}

const ipv4Texts = new Map<number, string>();
const ipv4TextsMax = 4_096;

/** The longest run of zero groups, the first of equals, becomes `::` if it is longer than one. */
function ipv6Text(bytes: Uint8Array, at: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => {
    return ((bytes[at + 2 * i] ?? 0) << 8) | (bytes[at + 2 * i + 1] ?? 0);
  });
  let start = 0;
  let length = 0;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === 0) to++;
    if (to - from > length) [start, length] = [from, to - from];
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (length < 2) return text(groups);
  return `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`;
}
