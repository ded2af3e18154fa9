import { type Judge, mayBe, notThis, type Spoken, speaksPostgres } from './spoken.ts';

/**
 * The first packet of a PostgreSQL client: its length in four bytes, itself included, then four bytes that say
 * what it is (PostgreSQL, "Frontend/Backend Protocol", "Message Formats").
 */
export function postgresPacket(): Judge {
  let length = 0;
  let candidates = packets;
  return (byte, at) => {
    if (at < 4) length = length * 256 + byte;
    // No packet is longer than two bytes can say.
    if (at < 3) return mayBePostgresIf(at === 2 || length === 0);
    candidates = candidates.filter(({ shortest, longest, code }) =>
      at === 3 ? length >= shortest && length <= longest : (code[at - 4] ?? byte) === byte,
    );
    return at === 7 && candidates.length > 0 ? speaksPostgres : mayBePostgresIf(candidates.length > 0);
  };
}

function mayBePostgresIf(fits: boolean): Spoken {
  return fits ? mayBePostgres : notThis;
}

const mayBePostgres = mayBe('postgres');

interface Packet {
  readonly shortest: number;
  readonly longest: number;
  /** How the four bytes after the length begin. */
  readonly code: readonly number[];
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
