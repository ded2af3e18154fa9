import { isDigit, isTokenByte } from './ascii.ts';
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
  let word = '';
  let isWhole = false;
  /** What came after the word and the space behind it. */
  let rest = '';
  return (byte, at) => {
    if (isWhole) {
      rest += String.fromCharCode(byte);
      return afterWord(word, rest);
    }
    if (isTokenByte(byte)) {
      word += String.fromCharCode(byte);
      return word === 'SSH-' ? speaksSsh : needMoreIf(at < longestWord);
    }
    isWhole = true;
    if (byte === space) return needMore;
    const isLineEnd = byte === carriageReturn || byte === lineFeed;
    return isLineEnd && isRedisCommand(word, '') ? speaksRedis : notThis;
  };
}

function afterWord(word: string, rest: string): Spoken {
  if (word === 'CONNECT') return /^[a-z\d[]/i.test(rest) ? speaksHttp : notThis;
  if (rest === '/' || rest === '*') return speaksHttp;
  const url = rest.toLowerCase();
  if (url === 'http://' || url === 'https://') return speaksHttp;
  if ('http://'.startsWith(url) || 'https://'.startsWith(url)) return needMore;
  return isRedisCommand(word, rest) ? speaksRedis : notThis;
}

/**
 * What people and health checks type to Redis first; its clients send arrays. Only commands whose names no
 * method of HTTP has: GET, COPY or SUBSCRIBE could be either. HELLO counts with its version alone, for much
 * else begins with hello.
 */
function isRedisCommand(word: string, rest: string): boolean {
  const command = word.toLowerCase();
  return command === 'hello' ? isDigit(rest.charCodeAt(0)) : redisCommands.includes(command);
}

const redisCommands = ['auth', 'info', 'ping'];
/** The longest registered method of HTTP has 17 letters. */
const longestWord = 32;
const space = 0x20;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
