/** The PROXY protocol header by which a backend learns who its client is. */
import type { SentProxyProtocol } from './plan.ts';
import type { ProxiedEnds } from './wire/proxy-header.ts';
import { encodeProxyHeader } from './wire/proxy-writing.ts';

/** What is known of a client beside its addresses. */
export interface ClientFacts {
  readonly sni: string | undefined;
  /** What a handshake agreed on. */
  readonly alpn: string | undefined;
  readonly uniqueId: Uint8Array | undefined;
}

export function sentProxyHeader(
  { version, include }: SentProxyProtocol,
  ends: ProxiedEnds,
  { sni, alpn, uniqueId }: ClientFacts,
): Uint8Array {
  return encodeProxyHeader(version, ends, {
    ...(include.includes('sni') && sni !== undefined && { authority: sni }),
    ...(include.includes('alpn') && alpn !== undefined && { alpn }),
    ...(include.includes('unique-id') && uniqueId !== undefined && { uniqueId }),
    checksum: include.includes('crc32c'),
  });
}

/** 128 random bits as 32 hexadecimal digits. */
export function newUniqueId(random: () => number): Uint8Array {
  return Uint8Array.from({ length: 32 }, () => hexDigits.charCodeAt(Math.floor(random() * 16)));
}

/** As it is where it is printable ASCII, and in hexadecimal digits where it is not. */
export function uniqueIdText(id: Uint8Array): string {
  const isPrintable = id.every((byte) => byte > 0x20 && byte < 0x7f);
  const texts = Array.from(id, (byte) =>
    isPrintable ? String.fromCharCode(byte) : byte.toString(16).padStart(2, '0'),
  );
  return texts.join('');
}

const hexDigits = '0123456789abcdef';
