/**
 * The host name as rules compare it: in lower case, without the dot that may end a full name. Letters, digits,
 * `-`, `_` and dots make a name, and colons an IPv6 address; an IDNA A-label is such a name. Undefined for any
 * other character, for an empty name or label, and for what is longer than the 255 bytes that a name of the DNS
 * can have (RFC 1035, 3.1).
 */
export function hostName(text: string): string | undefined {
  if (text.length > maxLength || !/^[\w:-]+(?:\.[\w:-]+)*\.?$/.test(text)) return undefined;
  const name = text.toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}

const maxLength = 255;
