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
    if (line > 0 && this.#request !== undefined) {
      if (from === to) return this.#finish(this.#request);
      return this.#takeField(bytes, from, to) ? needMore : notThis;
    }
    const said = text(bytes, from, to);
    if (line === 0) this.#request = requestLine(said);
    if (this.#request !== undefined) return needMore;
    if (said !== preface[line]) return notThis;
    return line === preface.length - 1 ? { state: 'found', version: 2, host: undefined } : needMore;
  }

  #takeField(bytes: Uint8Array, from: number, to: number): boolean {
    let nameEnd = from;
    while (isTokenByte(bytes[nameEnd] ?? 0)) nameEnd++;
    // Spaces are none of a name's: neither before the colon, nor at the start of a line that continues another.
    if (nameEnd === from || bytes[nameEnd] !== colon) return false;
    if (nameEnd - from !== 4 || text(bytes, from, nameEnd).toLowerCase() !== 'host') return true;
    if (this.#broughtHost) return false;
    this.#broughtHost = true;
    const value = /^[ \t]*([^ \t]*)[ \t]*$/.exec(text(bytes, nameEnd + 1, to))?.[1];
    // An empty Host is what a client sends whose target has no authority (RFC 9112, 3.2).
    if (value === '') return true;
    this.#host = authorityHost(value ?? '');
    return this.#host !== undefined;
  }

  #finish(request: RequestLine): Finding<HttpHead> {
    if (request.mustBringHost && !this.#broughtHost) return notThis;
    return { state: 'found', version: 1, host: request.host ?? this.#host };
  }
}

const needMore: Finding<HttpHead> = { state: 'need-more' };
const notThis: Finding<HttpHead> = { state: 'not-this' };
const preface = ['PRI * HTTP/2.0', '', 'SM', ''];
const nul = 0;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const colon = 0x3a;
