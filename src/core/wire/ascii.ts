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
