/** Bytes to text and back: the core knows no TextEncoder. For the short texts of headers. */

/** Each of the bytes as one character, so that what is not ASCII stays distinct. */
export function text(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let at = from; at < to; at++) text += String.fromCharCode(bytes[at] ?? 0);
  return text;
}

/** A byte that methods and field names of HTTP are made of (RFC 9110, 5.6.2). */
export function isTokenByte(byte: number): boolean {
  return tokenBytes[byte] === true;
}

/**
 * Where servers may part a request line: space, tab, vertical tab, form feed and a CR by itself (RFC 9112, 3), and what
 * else Python takes for a space of Latin-1; and LF.
 */
export function isBlank(byte: number): boolean {
  return (byte >= 0x09 && byte <= 0x0d) || (byte >= 0x1c && byte <= 0x20) || byte === 0x85 || byte === 0xa0;
}

export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

const tokenBytes: readonly boolean[] = Array.from({ length: 0x80 }, (_, byte) =>
  /[\w!#$%&'*+.^`|~-]/.test(String.fromCharCode(byte)),
);

/** Text as UTF-8 (RFC 3629). A surrogate without its other half becomes U+FFFD. */
export function utf8Bytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), continuation(point));
    else if (point >= 0xd800 && point < 0xe000) bytes.push(0xef, 0xbf, 0xbd);
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), continuation(point >> 6), continuation(point));
    else {
      bytes.push(0xf0 | (point >> 18), continuation(point >> 12));
      bytes.push(continuation(point >> 6), continuation(point));
    }
  }
  return Uint8Array.from(bytes);
}

/** Undefined for bytes that are not UTF-8. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  let escaped = '';
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, '0')}`;
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}

function continuation(bits: number): number {
  return 0x80 | (bits & 0x3f);
}
