import { isDigit } from './ascii.ts';
import { type Judge, needMoreIf, notThis, speaksRedis } from './spoken.ts';

/**
 * What Redis clients send: `*<n>\r\n$`, an array of bulk strings. Its n has at most the seven digits of 1,048,576,
 * the most that Redis takes, and an array without elements asks for nothing.
 */
export function redisArray(): Judge {
  let previous = 0;
  return (byte, at) => {
    const before = previous;
    previous = byte;
    if (at === 0) return needMoreIf(byte === asterisk);
    if (at === 1) return needMoreIf(isDigit(byte) && byte !== zero);
    if (isDigit(byte)) return needMoreIf(isDigit(before) && at <= 7);
    if (byte === carriageReturn) return needMoreIf(isDigit(before));
    if (byte === lineFeed) return needMoreIf(before === carriageReturn);
    return byte === dollar && before === lineFeed ? speaksRedis : notThis;
  };
}

const asterisk = 0x2a;
const zero = 0x30;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dollar = 0x24;
