import { needMore, needMoreIf, notThis, type Spoken, speaksPostgres } from './spoken.ts';

/**
 * The first packet of a PostgreSQL client: its length in four bytes, itself included, then four bytes that say
 * what it is (PostgreSQL, "Frontend/Backend Protocol", "Message Formats").
 */
export function postgresPacket(bytes: Uint8Array, at: number): Spoken {
  // No packet is longer than two bytes can say.
  if (at < 2) return needMoreIf(bytes[at] === 0);
  if (at === 2) return needMore;
  if (!packets.some((packet) => fits(packet, bytes, at))) return notThis;
  return at === 7 ? speaksPostgres : needMore;
}

interface Packet {
  readonly shortest: number;
  readonly longest: number;
  /** How the four bytes after the length begin. */
  readonly code: readonly number[];
}

function fits({ shortest, longest, code }: Packet, bytes: Uint8Array, at: number): boolean {
  const length = ((bytes[2] ?? 0) << 8) | (bytes[3] ?? 0);
  if (length < shortest || length > longest) return false;
  return code.every((byte, index) => 4 + index > at || bytes[4 + index] === byte);
}

const packets: readonly Packet[] = [
  // SSLRequest, 80877103, and GSSENCRequest, 80877104.
  { shortest: 8, longest: 8, code: [0x04, 0xd2, 0x16, 0x2f] },
  { shortest: 8, longest: 8, code: [0x04, 0xd2, 0x16, 0x30] },
  // CancelRequest, 80877102, with a key of 4 bytes, or up to 256 since version 3.2.
  { shortest: 16, longest: 268, code: [0x04, 0xd2, 0x16, 0x2e] },
  // StartupMessage of a version 3.x: at least the zero after its parameters, at most what servers take.
  { shortest: 9, longest: 10_004, code: [0x00, 0x03] },
];
