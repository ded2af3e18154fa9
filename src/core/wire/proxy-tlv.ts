/** The type-length-value entries at the end of a version 2 header (proxy-protocol.txt, 2.2). */
import { crc32c } from './crc32c.ts';
import type { ProxyTlvs } from './proxy-header.ts';
import { utf8Text } from './text.ts';

export const tlvType = { alpn: 0x01, authority: 0x02, crc32c: 0x03, uniqueId: 0x05, ssl: 0x20 } as const;

/** Type, and length in two bytes. */
const tlvHeadBytes = 3;
export const longestUniqueIdBytes = 128;

/**
 * Reads the TLVs of a header from where its addresses end. They must tile the rest of it exactly, and a
 * checksum must be that of the header: otherwise undefined. Types without a name here are passed over, as is
 * a text that is not UTF-8; of several of a type the first counts.
 */
export function readTlvs(header: Uint8Array, from: number): ProxyTlvs | undefined {
  const tlvs = tiles(header, from);
  if (tlvs === undefined || !tlvs.every(isWellFormed) || !checksumHolds(header, tlvs)) return undefined;
  const first = (type: number) => tlvs.find((tlv) => tlv.type === type)?.value;
  const text = (type: number) => {
    const value = first(type);
    return value && utf8Text(value);
  };
  const [authority, alpn, uniqueId] = [text(tlvType.authority), text(tlvType.alpn), first(tlvType.uniqueId)];
  return {
    ...(authority !== undefined && { authority }),
    ...(alpn !== undefined && { alpn }),
    ...(uniqueId !== undefined && { uniqueId: copyOf(uniqueId) }),
  };
}

interface Tlv {
  readonly type: number;
  readonly value: Uint8Array;
  /** Where in the header the value begins. */
  readonly at: number;
}

function tiles(bytes: Uint8Array, from: number): readonly Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  let next = from;
  while (next < bytes.length) {
    const at = next + tlvHeadBytes;
    if (at > bytes.length) return undefined;
    next = at + (((bytes[at - 2] ?? 0) << 8) | (bytes[at - 1] ?? 0));
    if (next > bytes.length) return undefined;
    tlvs.push({ type: bytes[at - tlvHeadBytes] ?? 0, value: bytes.subarray(at, next), at });
  }
  return tlvs;
}

function isWellFormed({ type, value }: Tlv): boolean {
  switch (type) {
    case tlvType.crc32c:
      return value.length === 4;
    case tlvType.uniqueId:
      return value.length <= longestUniqueIdBytes;
    case tlvType.ssl:
      // A byte of flags and four of the verification's result, then TLVs again.
      return value.length >= 5 && tiles(value, 5) !== undefined;
    default:
      return true;
  }
}

/** The checksum counts itself as zeros, so two of them cannot both be right. */
function checksumHolds(header: Uint8Array, tlvs: readonly Tlv[]): boolean {
  const [checksum, ...more] = tlvs.filter(({ type }) => type === tlvType.crc32c);
  if (checksum === undefined) return true;
  if (more.length > 0) return false;
  const zeroed = copyOf(header);
  const view = new DataView(zeroed.buffer);
  const claimed = view.getUint32(checksum.at);
  view.setUint32(checksum.at, 0);
  return crc32c(zeroed) === claimed;
}

/** What a driver hands over may be a Buffer, whose `slice` does not copy, and lie in memory that is used again. */
function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
