/**
 * What a client of a listener with TLS asks for with its first bytes: TLS at once, or as postgres clients do, by a
 * packet of eight bytes that asks whether encryption is wanted (PostgreSQL's "Frontend/Backend Protocol", SSLRequest
 * and GSSENCRequest).
 */
export type FirstRequest =
  /** What has come so far can still become one of the others. */
  'more' | 'tls' | 'ssl-request' | 'gssenc-request' | 'neither';

export const postgresRequestBytes = 8;

export function firstRequest(bytes: Uint8Array): FirstRequest {
  if (bytes.length === 0) return 'more';
  if (bytes[0] === tlsHandshakeRecord) return 'tls';
  for (const { name, packet } of postgresRequests) {
    const seen = Math.min(bytes.length, packet.length);
    if (packet.every((byte, i) => i >= seen || byte === bytes[i])) {
      return seen === packet.length ? name : 'more';
    }
  }
  return 'neither';
}

/** The content type of a record with handshake messages (RFC 8446, B.1). */
const tlsHandshakeRecord = 0x16;

const postgresRequests = [
  { name: 'ssl-request', packet: [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f] },
  { name: 'gssenc-request', packet: [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30] },
] as const;
