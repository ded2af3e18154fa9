import {
  type ByteMatcher,
  type Detection,
  mayBe,
  mismatch,
  speaksHttp,
  speaksRedis,
  speaksSsh,
} from './protocol.ts';
import { isBlank, isDigit, isTokenByte } from './text.ts';

/**
 * Judges what begins with a word: the version line of SSH, `SSH-` (RFC 4253, 4.2), a request of HTTP, or a command
 * typed to Redis. A request is whatever a server may take for one, so that none of them is passed by as unknown:
 * blanks and empty lines, any method, blanks, and a target that is `/`, `*`, an http URL, or of CONNECT an
 * authority; where the target is something else, ` HTTP/` must follow in the same line. So HTTP/2 is recognised by
 * the first line of its preface.
 */
export function firstWord(): ByteMatcher {
  const line = new FirstLine();
  return (byte) => line.match(byte);
}

class FirstLine {
  #step: 'before' | 'word' | 'gap' | 'target' | 'rest' = 'before';
  /** As much of the word as can matter, and likewise of the target. */
  #word = '';
  #target = '';
  #isAfterBlanks = false;
  /** How much of ` HTTP/` has come. */
  #matched = 0;

  match(byte: number): Detection {
    switch (this.#step) {
      case 'before':
        if (isBlank(byte)) {
          this.#isAfterBlanks = true;
          return mayBeHttp;
        }
        if (!isTokenByte(byte)) return mismatch;
        this.#step = 'word';
        return this.#addToWord(byte);
      case 'word':
        if (isTokenByte(byte)) return this.#addToWord(byte);
        if (!this.#isGap(byte)) return this.#otherThanHttp(byte);
        this.#step = 'gap';
        return this.#incomplete();
      case 'gap':
        if (this.#isGap(byte)) return this.#incomplete();
        if (isLineEnd(byte)) return this.#otherThanHttp(byte);
        this.#step = 'target';
        return this.#matchTarget(byte);
      case 'target':
        return this.#matchTarget(byte);
      case 'rest':
        return this.#matchRest(byte);
    }
  }

  #addToWord(byte: number): Detection {
    if (this.#word.length <= longestKnownWord) this.#word += String.fromCharCode(byte);
    return this.#word === 'SSH-' && !this.#isAfterBlanks ? speaksSsh : this.#incomplete();
  }

  /** The target, up to where it may be a URL's scheme. */
  #matchTarget(byte: number): Detection {
    this.#target += String.fromCharCode(byte).toLowerCase();
    const target = this.#target;
    if (target === '/' || target === '*' || target === 'http://' || target === 'https://') return speaksHttp;
    // There is no target, and servers may take the version for one.
    if (target === 'http/' && this.#isKnownMethod) return speaksHttp;
    if (this.#word === 'CONNECT' && /^[a-z\d[]/.test(target)) return speaksHttp;
    if ('http://'.startsWith(target) || 'https://'.startsWith(target)) return this.#incomplete();
    const isScheme = target.length <= longestScheme && /^[a-z][a-z\d+.-]*(?::|$)/.test(target);
    if (isScheme && !target.includes(':')) return this.#incomplete();
    if (!isScheme && !this.#isKnownMethod) return this.#otherThanHttp(byte);
    this.#step = 'rest';
    return this.#matchRest(byte);
  }

  #matchRest(byte: number): Detection {
    const isGap = this.#isGap(byte);
    const isControl = byte < space || byte === del;
    if (byte === lineFeed || (isControl && !isGap && !this.#isKnownMethod)) return this.#otherThanHttp(byte);
    const letter = String.fromCharCode(byte).toUpperCase();
    if (isGap) this.#matched = 1;
    else this.#matched = letter === version[this.#matched] ? this.#matched + 1 : 0;
    return this.#matched === version.length ? speaksHttp : this.#incomplete();
  }

  /** A CR that no LF follows parts words too; but what is typed to Redis is over with it. */
  #isGap(byte: number): boolean {
    if (byte === carriageReturn) return !redisCommands.includes(this.#word.toLowerCase());
    return isBlank(byte) && byte !== lineFeed;
  }

  get #isKnownMethod(): boolean {
    return methods.has(this.#word);
  }

  #incomplete(): Detection {
    if (this.#isAfterBlanks) return mayBeHttp;
    const word = this.#word.toLowerCase();
    if (this.#step !== 'word') return redisCommands.includes(word) ? mayBeHttpOrRedis : mayBeHttp;
    if ('SSH-'.startsWith(this.#word)) return mayBeHttpOrSsh;
    return redisCommands.some((command) => command.startsWith(word)) ? mayBeHttpOrRedis : mayBeHttp;
  }

  /**
   * What people and health checks type to Redis first; its clients send arrays. Only commands whose names no
   * method of HTTP has: GET, COPY or SUBSCRIBE could be either. HELLO counts with its version alone, for much
   * else begins with hello.
   */
  #otherThanHttp(byte: number): Detection {
    const command = this.#word.toLowerCase();
    if (this.#isAfterBlanks || !redisCommands.includes(command)) return mismatch;
    if (command === 'hello') return isDigit(this.#target.charCodeAt(0)) ? speaksRedis : mismatch;
    return isLineEnd(byte) || this.#target !== '' ? speaksRedis : mismatch;
  }
}

function isLineEnd(byte: number): boolean {
  return byte === lineFeed || byte === carriageReturn;
}

const mayBeHttp = mayBe('http');
const mayBeHttpOrSsh = mayBe('http', 'ssh');
const mayBeHttpOrRedis = mayBe('http', 'redis');
const redisCommands = ['auth', 'hello', 'info', 'ping'];
/** Methods whose target may be anything, as servers read it that take it for a path: RFC 9110, 5789, 4918, 3253. */
const methods: ReadonlySet<string> = new Set(
  [
    'CONNECT DELETE GET HEAD OPTIONS PATCH POST PUT TRACE',
    'COPY LOCK MKCOL MOVE PROPFIND PROPPATCH UNLOCK REPORT SEARCH',
  ].flatMap((names) => names.split(' ')),
);
const longestKnownWord = 'PROPPATCH'.length;
/** The longest that is registered has 36 letters. */
const longestScheme = 64;
const version = ' HTTP/';
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const del = 0x7f;
