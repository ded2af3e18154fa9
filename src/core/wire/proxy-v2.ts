/** PROXY protocol version 2: 16 bytes of head, the addresses, then what else there is as TLVs. */
import { addressText } from '../addresses.ts';
import type { ProxiedEnd, ProxiedEnds, ProxyParseResult } from './proxy-header.ts';
import { readTlvs } from './proxy-tlv.ts';
import { utf8Text } from './text.ts';

export const v2Signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);

/** Signature, version and command, family and transport, and how many bytes follow. */
export const headBytes = 16;
const longestHeaderBytes = 4096;

export const command = { local: 0x20, proxy: 0x21 } as const;

/** The upper four bits of the 14th byte, and how long the block of both addresses is. */
export const family = { unspecified: 0, inet: 1, inet6: 2, unix: 3 } as const;
export const blockBytesOf = [0, 12, 36, 216] as const;
/** A unix path fills it or ends with a zero. */
export const unixPathBytes = 108;

/** The lower four bits of the 14th byte. */
export const transport = { unspecified: 0, stream: 1, datagram: 2 } as const;

/** Reads a header after its signature: the head once it is there, then all once all is there. */
export class BlockReader {
  #length: number | undefined;

  read(bytes: Uint8Array): ProxyParseResult {
    if (bytes.length < headBytes) return { state: 'incomplete' };
    this.#length ??= lengthOf(bytes);
    if (this.#length === undefined) return { state: 'broken' };
    return bytes.length < this.#length
      ? { state: 'incomplete' }
      : readHeader(bytes.subarray(0, this.#length));
  }
}

/** How long the header is that has this head; undefined where no header has it. */
function lengthOf(head: Uint8Array): number | undefined {
  const length = headBytes + (((head[14] ?? 0) << 8) | (head[15] ?? 0));
  if (length > longestHeaderBytes) return undefined;
  if (head[12] === command.local) return length;
  if (head[12] !== command.proxy || transportOf(head) > transport.datagram) return undefined;
  const blockBytes = blockBytesOf[familyOf(head)];
  if (blockBytes === undefined) return undefined;
  return saysNothing(head) || length >= headBytes + blockBytes ? length : undefined;
}

/** The header whole, its head in order. */
function readHeader(header: Uint8Array): ProxyParseResult {
  const { length } = header;
  const own: ProxyParseResult = { state: 'complete', header: { source: 'own' }, length };
  if (saysNothing(header)) return own;
  const tlvs = readTlvs(header, headBytes + (blockBytesOf[familyOf(header)] ?? 0));
  if (tlvs === undefined) return { state: 'broken' };
  // No client of a TCP listener came as datagrams: the specification has what a receiver cannot do treated
  // as unspecified.
  if (transportOf(header) === transport.datagram) return own;
  return { state: 'complete', header: { source: 'proxied', ...readEnds(header), ...tlvs }, length };
}

/** LOCAL, whose family is to be ignored, or UNSPEC: what follows the head is skipped, whatever it is. */
function saysNothing(head: Uint8Array): boolean {
  if (head[12] === command.local) return true;
  return familyOf(head) === family.unspecified || transportOf(head) === transport.unspecified;
}

function familyOf(head: Uint8Array): number {
  return (head[13] ?? 0) >> 4;
}

function transportOf(head: Uint8Array): number {
  return (head[13] ?? 0) & 0xf;
}

/** Both addresses, then both ports; unix paths have none. */
function readEnds(header: Uint8Array): ProxiedEnds {
  const view = new DataView(header.buffer, header.byteOffset + headBytes);
  if (familyOf(header) === family.unix) {
    const middle = headBytes + unixPathBytes;
    return {
      client: unixEnd(header.subarray(headBytes, middle)),
      destination: unixEnd(header.subarray(middle, middle + unixPathBytes)),
    };
  }
  const isIpv4 = familyOf(header) === family.inet;
  const word = (at: number) => view.getInt32(at);
  const address = (at: number) =>
    addressText(isIpv4 ? [0, 0, 0xffff, word(at)] : [word(at), word(at + 4), word(at + 8), word(at + 12)]);
  const addressBytes = isIpv4 ? 4 : 16;
  const portsAt = 2 * addressBytes;
  return {
    client: { address: address(0), port: view.getUint16(portsAt) },
    destination: { address: address(addressBytes), port: view.getUint16(portsAt + 2) },
  };
}

/** A socket without a name has no path, nor has one of Linux's abstract names, which begin with a zero. */
function unixEnd(field: Uint8Array): ProxiedEnd {
  const zero = field.indexOf(0);
  const path = utf8Text(zero < 0 ? field : field.subarray(0, zero));
  return { address: 'unix', port: 0, ...(path && { path }) };
}
