/**
 * Reads whom an HTTP client asks for: the head of its first HTTP/1 request (RFC 9112), or the preface of HTTP/2
 * (RFC 9113, 3.4), which is followed by a compressed host that is not read here.
 */

import { authorityHost, longestAuthority } from './host-name.ts';
import type { ParseResult } from './parse-result.ts';
import { isTokenByte, text } from './text.ts';

export interface HttpHead {
  readonly version: 1 | 2;
  /** In lower case, without port or a dot at its end; an IPv6 address keeps its brackets. */
  readonly host: string | undefined;
}

/**
 * Finds an HTTP/1 head at its empty line and not before, for a second Host may come until then. Lines end with LF,
 * as servers read them, whether a CR is before it or not, and empty lines may come first (RFC 9112, 2.2). What
 * names no host for certain is `mismatch`, since servers would not agree on it: two Host fields or a malformed one,
 * a Host that is not the target's, space before a colon, folded lines, and NUL or CR by itself.
 */
export class HttpHeadReader {
  #at = 0;
  #lineStart = 0;
  #lines = 0;
  #afterReturn = false;
  /** Undefined until the first line is there, and for HTTP/2. */
  #request: RequestLine | undefined;
  #broughtHost = false;
  #host: string | undefined;
  #answer: ParseResult<HttpHead> = { state: 'incomplete' };

  /** Takes all bytes from the first one on, again whenever there are more; a line is looked at when it is whole. */
  read(bytes: Uint8Array): ParseResult<HttpHead> {
    while (this.#answer.state === 'incomplete') {
      if (!this.#afterReturn) this.#at = ordinaryUntil(bytes, this.#at);
      const byte = bytes[this.#at];
      if (byte === undefined) break;
      this.#at++;
      if (byte === lineFeed) {
        this.#answer = this.#readLine(bytes, this.#lineStart, this.#at - (this.#afterReturn ? 2 : 1));
        this.#lineStart = this.#at;
      } else if (this.#afterReturn || byte === nul) {
        this.#answer = mismatch;
      }
      this.#afterReturn = byte === carriageReturn;
    }
    return this.#answer;
  }

  #readLine(bytes: Uint8Array, from: number, to: number): ParseResult<HttpHead> {
    if (this.#lines === 0 && from === to) return incomplete;
    const line = this.#lines++;
    if (line > 0 && this.#request !== undefined) {
      if (from === to) return this.#finish(this.#request);
      return this.#readField(bytes, from, to) ? incomplete : mismatch;
    }
    const said = text(bytes, from, to);
    if (line === 0) this.#request = requestLine(said);
    if (this.#request !== undefined) return incomplete;
    if (said !== preface[line]) return mismatch;
    return line === preface.length - 1 ? { state: 'complete', version: 2, host: undefined } : incomplete;
  }

  #readField(bytes: Uint8Array, from: number, to: number): boolean {
    let nameEnd = from;
    while (isTokenByte(bytes[nameEnd] ?? 0)) nameEnd++;
    // Spaces are none of a name's: neither before the colon, nor at the start of a line that continues another.
    if (nameEnd === from || bytes[nameEnd] !== colon) return false;
    if (nameEnd - from !== 4 || text(bytes, from, nameEnd).toLowerCase() !== 'host') return true;
    if (this.#broughtHost) return false;
    this.#broughtHost = true;
    let start = nameEnd + 1;
    let end = to;
    while (start < end && isBlank(bytes[start])) start++;
    while (start < end && isBlank(bytes[end - 1])) end--;
    // An empty Host is what a client sends whose target has no authority (RFC 9112, 3.2).
    if (start === end) return true;
    if (end - start > longestAuthority) return false;
    this.#host = authorityHost(text(bytes, start, end));
    return this.#host !== undefined;
  }

  #finish({ host }: RequestLine): ParseResult<HttpHead> {
    if (host !== undefined && this.#broughtHost && host !== this.#host) return mismatch;
    return { state: 'complete', version: 1, host: host ?? this.#host };
  }
}

/**
 * Where the next byte is that may matter to a line, or the end: a third of the cost for all the others, which are most.
 */
function ordinaryUntil(bytes: Uint8Array, from: number): number {
  const { length } = bytes;
  let at = from;
  while (at < length && (bytes[at] ?? 0) > carriageReturn) at++;
  return at;
}

interface RequestLine {
  /** The host that the target names; a Host field beside it must name the same (RFC 9112, 3.2). */
  readonly host: string | undefined;
}

/**
 * Reads `method target HTTP/1.x` (RFC 9112, 3); undefined for what a server must refuse. Letters beyond ASCII have
 * no place in a target, but clients do send them.
 */
export function requestLine(line: string): RequestLine | undefined {
  const parts = /^([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP\/1\.\d$/.exec(line);
  if (parts === null) return undefined;
  const [, method = '', target = ''] = parts;
  const namesNoHost = method !== 'CONNECT' && (target.startsWith('/') || target === '*');
  if (namesNoHost) return { host: undefined };
  const authority = method === 'CONNECT' ? target : /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  const host = authorityHost(authority ?? '');
  return host === undefined ? undefined : { host };
}

function isBlank(byte: number | undefined): boolean {
  return byte === space || byte === tab;
}

const incomplete: ParseResult<HttpHead> = { state: 'incomplete' };
const mismatch: ParseResult<HttpHead> = { state: 'mismatch' };
const preface = ['PRI * HTTP/2.0', '', 'SM', ''];
const nul = 0;
const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const colon = 0x3a;
