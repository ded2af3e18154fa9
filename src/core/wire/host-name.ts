/**
 * The host name that the bytes spell, as rules compare it: in lower case, without the dot that may end a full
 * name. Letters, digits, `-`, `_` and dots make a name, and colons an IPv6 address; an IDNA A-label is such a
 * name. Undefined for any other byte, for an empty name or label, and for what is longer than the 255 bytes
 * that a name of the DNS can have (RFC 1035, 3.1).
 */
export function hostName(bytes: Uint8Array, from: number, to: number): string | undefined {
  const end = to - from > 1 && bytes[to - 1] === dot ? to - 1 : to;
  if (end === from || end - from > maxLength) return undefined;
  let name = '';
  let previous = dot;
  for (let at = from; at < end; at++) {
    const byte = bytes[at] ?? 0;
    const letter = lowerCase[byte];
    if (letter === undefined || (byte === dot && previous === dot)) return undefined;
    name += letter;
    previous = byte;
  }
  return previous === dot ? undefined : name;
}

const dot = 0x2e;
const maxLength = 255;

/** For each byte of a host name the letter that stands for it. */
const lowerCase: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte);
  return /[a-z0-9._:-]/i.test(letter) && byte < 0x80 ? letter.toLowerCase() : undefined;
});
