/**
 * Reads whom an HTTP client asks for: the head of its first HTTP/1 request (RFC 9112), or the preface of HTTP/2
 * (RFC 9113, 3.4), which is followed by a compressed host that is not read here.
 */
import { isTokenByte, text } from './ascii.ts';
import { authorityHost } from './authority.ts';
import type { Finding } from './finding.ts';
import { type RequestLine, requestLine } from './http-request-line.ts';

export interface HttpHead {
  readonly version: 1 | 2;
  /** In lower case, without port or a dot at its end; an IPv6 address keeps its brackets. */
  readonly host: string | undefined;
}

/**
 * Finds an HTTP/1 head at its empty line and not before, for a second Host may come until then. What a server
 * must refuse is `not-this`, so that no backend sees another host than the rules did: two Host fields or a
 * malformed one, HTTP/1.1 without one, space before a colon, folded lines, and NUL, CR or LF by itself.
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
  #answer: Finding<HttpHead> = { state: 'need-more' };

  /** Takes all bytes from the first one on, again whenever there are more; a line is looked at when it is whole. */
  read(bytes: Uint8Array): Finding<HttpHead> {
    while (this.#answer.state === 'need-more' && this.#at < bytes.length) {
      const byte = bytes[this.#at++];
      const isLineFeed = byte === lineFeed;
      if (isLineFeed !== this.#afterReturn || byte === nul) {
        this.#answer = notThis;
      } else if (isLineFeed) {
        this.#answer = this.#takeLine(bytes, this.#lineStart, this.#at - 2);
        this.#lineStart = this.#at;
      }
      this.#afterReturn = byte === carriageReturn;
    }
    return this.#answer;
  }

  #takeLine(bytes: Uint8Array, from: number, to: number): Finding<HttpHead> {
    const line = this.#lines++;
    if (line === 0) {
      this.#request = requestLine(bytes, from, to);
      return this.#request !== undefined || isPreface(bytes, from, to, line) ? needMore : notThis;
    }
    if (this.#request === undefined) {
      if (!isPreface(bytes, from, to, line)) return notThis;
      return line === preface.length - 1 ? { state: 'found', version: 2, host: undefined } : needMore;
    }
    if (from === to) return this.#finish(this.#request);
    return this.#takeField(bytes, from, to) ? needMore : notThis;
  }

  #takeField(bytes: Uint8Array, from: number, to: number): boolean {
    let nameEnd = from;
    while (nameEnd < to && isTokenByte(bytes[nameEnd] ?? 0)) nameEnd++;
    if (nameEnd === from || bytes[nameEnd] !== colon) return false;
    const isHost = nameEnd - from === 4 && text(bytes, from, nameEnd).toLowerCase() === 'host';
    if (!isHost) return true;
    if (this.#broughtHost) return false;
    this.#broughtHost = true;
    let start = nameEnd + 1;
    let end = to;
    while (start < end && isBlank(bytes[start])) start++;
    while (end > start && isBlank(bytes[end - 1])) end--;
    // An empty Host is what a client sends whose target has no authority (RFC 9112, 3.2).
    if (start === end) return true;
    this.#host = authorityHost(bytes, start, end);
    return this.#host !== undefined;
  }

  #finish(request: RequestLine): Finding<HttpHead> {
    if (request.mustBringHost && !this.#broughtHost) return notThis;
    return { state: 'found', version: 1, host: request.host ?? this.#host };
  }
}

function isPreface(bytes: Uint8Array, from: number, to: number, line: number): boolean {
  const expected = preface[line];
  return expected?.length === to - from && text(bytes, from, to) === expected;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09;
}

const needMore: Finding<HttpHead> = { state: 'need-more' };
const notThis: Finding<HttpHead> = { state: 'not-this' };
const preface = ['PRI * HTTP/2.0', '', 'SM', ''];
const nul = 0;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
