import { isTokenByte, text } from './ascii.ts';
import { authorityHost } from './authority.ts';

export interface RequestLine {
  /** The host that the target names, which counts for more than a Host field. */
  readonly host: string | undefined;
  /** HTTP/1.1 must bring a Host field, HTTP/1.0 need not (RFC 9112, 3.2). */
  readonly mustBringHost: boolean;
}

/** Reads `method target HTTP/1.x` (RFC 9112, 3); undefined for what a server must refuse. */
export function requestLine(bytes: Uint8Array, from: number, to: number): RequestLine | undefined {
  const targetEnd = to - ' HTTP/1.1'.length;
  const version = text(bytes, Math.max(targetEnd, from), to);
  if (!/^ HTTP\/1\.\d$/.test(version)) return undefined;
  let methodEnd = from;
  while (methodEnd < targetEnd && isTokenByte(bytes[methodEnd] ?? 0)) methodEnd++;
  const targetStart = methodEnd + 1;
  if (methodEnd === from || bytes[methodEnd] !== space || targetStart >= targetEnd) return undefined;
  for (let at = targetStart; at < targetEnd; at++) if (!isTargetByte(bytes[at] ?? 0)) return undefined;

  const mustBringHost = version !== ' HTTP/1.0';
  const first = bytes[targetStart];
  if (text(bytes, from, methodEnd) === 'CONNECT') {
    const host = authorityHost(bytes, targetStart, targetEnd);
    return host === undefined ? undefined : { host, mustBringHost };
  }
  const namesNoHost = first === slash || (first === asterisk && targetEnd - targetStart === 1);
  if (namesNoHost) return { host: undefined, mustBringHost };
  const host = hostOfUrl(bytes, targetStart, targetEnd);
  return host === undefined ? undefined : { host, mustBringHost };
}

function hostOfUrl(bytes: Uint8Array, from: number, to: number): string | undefined {
  const scheme = /^https?:\/\//i.exec(text(bytes, from, Math.min(from + 'https://'.length, to)));
  if (scheme === null) return undefined;
  const start = from + scheme[0].length;
  let end = start;
  while (end < to && bytes[end] !== slash && bytes[end] !== question && bytes[end] !== hash) end++;
  return authorityHost(bytes, start, end);
}

/** Anything but controls and the space. Letters beyond ASCII have no place in a target, but clients do send them. */
function isTargetByte(byte: number): boolean {
  return byte > space && byte !== 0x7f;
}

const space = 0x20;
const slash = 0x2f;
const asterisk = 0x2a;
const question = 0x3f;
const hash = 0x23;
