/** Writes the PROXY protocol header that goes to a backend before the client's first byte. */
import { type AddressWords, addressWords, isIpv4 } from '../addresses.ts';
import { crc32c } from './crc32c.ts';
import type { ProxiedEnd, ProxiedEnds, ProxyTlvs } from './proxy-header.ts';
import { longestUniqueIdBytes, tlvType } from './proxy-tlv.ts';
import { encodeLine, encodeUnknownLine } from './proxy-v1.ts';
import {
  blockBytesOf,
  command,
  family,
  headBytes,
  transport,
  unixPathBytes,
  v2Signature,
} from './proxy-v2.ts';
import { utf8Bytes } from './text.ts';

export type ProxyVersion = 'v1' | 'v2';

/** What goes into a version 2 header beside the addresses; version 1 has no room for it. */
export interface SentTlvs extends ProxyTlvs {
  /** Ends the header with a checksum of it, for receivers that want one. */
  readonly checksum?: boolean;
}

/**
 * A header that announces the ends of a client's connection. Of two families IPv4 is promoted to IPv6
 * (`::ffff:a.b.c.d`). Ends that no family of the version can say (unix sockets in version 1, a unix socket
 * and an IP address in version 2) become UNKNOWN or UNSPEC, so that the receiver takes the socket's own. Not
 * all receivers take every header: HAProxy 2.6 refuses a unix socket, and UNSPEC, in version 2. A text of more
 * than 255 bytes or a unique id of more than 128 is left out, since receivers refuse the header for it.
 */
export function encodeProxyHeader(
  version: ProxyVersion,
  ends: ProxiedEnds,
  tlvs: SentTlvs = {},
): Uint8Array<ArrayBuffer> {
  return version === 'v1' ? encodeLine(ends) : encodeBlock(ends, tlvs);
}

/**
 * The header of a connection that no client stands behind: a health check. Version 1 has only UNKNOWN for
 * it, which some receivers refuse; a caller that knows both addresses of the connection had better announce those.
 */
export function encodeLocalHeader(version: ProxyVersion): Uint8Array<ArrayBuffer> {
  return version === 'v1' ? encodeUnknownLine() : withHead(command.local, 0, []);
}

function encodeBlock(ends: ProxiedEnds, tlvs: SentTlvs): Uint8Array<ArrayBuffer> {
  const [kind, block] = encodeEnds(ends);
  const protocol = kind === family.unspecified ? transport.unspecified : transport.stream;
  const header = withHead(command.proxy, (kind << 4) | protocol, [block, ...encodeTlvs(tlvs)]);
  // It stands last, and is zero so far.
  if (tlvs.checksum) new DataView(header.buffer).setUint32(header.length - 4, crc32c(header));
  return header;
}

function withHead(
  versionAndCommand: number,
  familyAndTransport: number,
  parts: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = new Uint8Array(headBytes + length);
  header.set(v2Signature);
  header.set([versionAndCommand, familyAndTransport, length >> 8, length & 0xff], v2Signature.length);
  let at = headBytes;
  for (const part of parts) {
    header.set(part, at);
    at += part.length;
  }
  return header;
}

function encodeEnds({ client, destination }: ProxiedEnds): readonly [kind: number, block: Uint8Array] {
  if (client.address === 'unix' && destination.address === 'unix') {
    return [family.unix, encodePaths([client, destination])];
  }
  const from = addressWords(client.address);
  const to = addressWords(destination.address);
  if (from === undefined || to === undefined) return [family.unspecified, new Uint8Array()];
  const kind = isIpv4(from) && isIpv4(to) ? family.inet : family.inet6;
  return [kind, encodeAddresses(kind, [from, to], [client.port, destination.port])];
}

function encodeAddresses(
  kind: typeof family.inet | typeof family.inet6,
  addresses: readonly AddressWords[],
  ports: readonly number[],
): Uint8Array {
  const block = new Uint8Array(blockBytesOf[kind]);
  const view = new DataView(block.buffer);
  let at = 0;
  for (const words of addresses) {
    for (const word of kind === family.inet ? words.slice(3) : words) {
      view.setInt32(at, word);
      at += 4;
    }
  }
  for (const port of ports) {
    view.setUint16(at, port);
    at += 2;
  }
  return block;
}

/** A path that is not known, or longer than any can be, is left empty. */
function encodePaths(ends: readonly ProxiedEnd[]): Uint8Array {
  const block = new Uint8Array(blockBytesOf[family.unix]);
  for (const [index, { path = '' }] of ends.entries()) {
    const bytes = utf8Bytes(path);
    if (bytes.length <= unixPathBytes) block.set(bytes, index * unixPathBytes);
  }
  return block;
}

function encodeTlvs({ authority, alpn, uniqueId, checksum }: SentTlvs): readonly Uint8Array[] {
  return [
    ...(alpn === undefined ? [] : encodeTlv(tlvType.alpn, utf8Bytes(alpn))),
    ...(authority === undefined ? [] : encodeTlv(tlvType.authority, utf8Bytes(authority))),
    ...(uniqueId === undefined ? [] : encodeTlv(tlvType.uniqueId, uniqueId, longestUniqueIdBytes)),
    ...(checksum ? encodeTlv(tlvType.crc32c, new Uint8Array(4)) : []),
  ];
}

/** 255 is what HAProxy takes of an authority; a host name has at most 253, a protocol's name at most 255. */
function encodeTlv(type: number, value: Uint8Array, longestBytes = 255): readonly Uint8Array[] {
  return value.length > longestBytes ? [] : [Uint8Array.of(type, 0, value.length), value];
}
