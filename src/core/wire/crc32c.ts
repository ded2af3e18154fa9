/** CRC32c, the checksum of SCTP (RFC 4960, appendix B), by the table of Sarwate. */
export function crc32c(bytes: Uint8Array): number {
  table ??= makeTable();
  let remainder = -1;
  for (const byte of bytes) remainder = (remainder >>> 8) ^ (table[(remainder ^ byte) & 0xff] ?? 0);
  return ~remainder >>> 0;
}

/** The polynomial of Castagnoli, 0x1edc6f41, with its bits reversed. */
const polynomial = 0x82f63b78;

/**
 * What each byte leaves of itself. Made when it is first wanted: as the only loop of a start that is long enough for
 * the optimising compiler, it had 3 MB of that come into memory.
 */
let table: Int32Array | undefined;

function makeTable(): Int32Array {
  return Int32Array.from({ length: 256 }, (_, byte) => {
    let remainder = byte;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? polynomial : 0);
    return remainder;
  });
}
