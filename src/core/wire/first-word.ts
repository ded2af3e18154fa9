import { isDigit, isTokenByte, text } from './ascii.ts';
import {
  type Judge,
  needMore,
  needMoreIf,
  notThis,
  type Spoken,
  speaksHttp,
  speaksRedis,
  speaksSsh,
} from './spoken.ts';

/**
 * Judges what begins with a word: the version line of SSH, `SSH-` (RFC 4253, 4.2), a request of HTTP, or a
 * command typed to Redis. A request is any method followed by a space and the beginning of a target: `/`, `*`,
 * an http URL, or of CONNECT an authority; so HTTP/2 is recognised by the first line of its preface.
 */
export function firstWord(): Judge {
  let word: string | undefined;
  return (bytes, at) => {
    if (word !== undefined) return afterWord(word, bytes, at);
    const byte = bytes[at] ?? 0;
    if (isTokenByte(byte)) {
      if (at === 3 && text(bytes, 0, 4) === 'SSH-') return speaksSsh;
      return needMoreIf(at < longestWord);
    }
    word = text(bytes, 0, at);
    if (byte === space) return needMore;
    const isLineEnd = byte === carriageReturn || byte === lineFeed;
    return isLineEnd && isRedisCommand(word, byte) ? speaksRedis : notThis;
  };
}

/** The word is followed by a space, and that by what is judged here. */
function afterWord(word: string, bytes: Uint8Array, at: number): Spoken {
  const from = word.length + 1;
  const first = bytes[from] ?? 0;
  if (word === 'CONNECT') return beginsAuthority(first) ? speaksHttp : notThis;
  if (first === slash || first === asterisk) return speaksHttp;
  const soFar = text(bytes, from, at + 1).toLowerCase();
  if (soFar === 'http://' || soFar === 'https://') return speaksHttp;
  if ('http://'.startsWith(soFar) || 'https://'.startsWith(soFar)) return needMore;
  return isRedisCommand(word, first) ? speaksRedis : notThis;
}

function beginsAuthority(byte: number): boolean {
  return /[a-z0-9[]/i.test(String.fromCharCode(byte));
}

/**
 * What people and health checks type to Redis first; its clients send arrays. Only commands whose names no
 * method of HTTP has: GET, COPY or SUBSCRIBE could be either. HELLO counts with its version alone, for many
 * others begin with hello.
 */
function isRedisCommand(word: string, next: number): boolean {
  const command = word.toLowerCase();
  return command === 'hello' ? isDigit(next) : redisCommands.includes(command);
}

const redisCommands = ['auth', 'info', 'ping'];
/** The longest registered method of HTTP has 17 letters. */
const longestWord = 32;
const space = 0x20;
const slash = 0x2f;
const asterisk = 0x2a;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
