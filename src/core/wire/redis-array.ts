import { isDigit } from './ascii.ts';
import { type Judge, mayBe, notThis, type Spoken, speaksRedis } from './spoken.ts';

/**
 * What Redis clients send: `*<n>\r\n$`, an array of bulk strings. Its n has at most the seven digits of 1,048,576,
 * the most that Redis takes, and an array without elements asks for nothing.
 */
export function redisArray(): Judge {
  let previous = 0;
  return (byte, at) => {
    const before = previous;
    previous = byte;
    if (at === 0) return mayBeRedisIf(byte === asterisk);
    if (at === 1) return mayBeRedisIf(isDigit(byte) && byte !== zero);
    if (isDigit(byte)) return mayBeRedisIf(isDigit(before) && at <= 7);
    if (byte === carriageReturn) return mayBeRedisIf(isDigit(before));
    if (byte === lineFeed) return mayBeRedisIf(before === carriageReturn);
    return byte === dollar && before === lineFeed ? speaksRedis : notThis;
  };
}

function mayBeRedisIf(fits: boolean): Spoken {
  return fits ? mayBeRedis : notThis;
}

const mayBeRedis = mayBe('redis');
const asterisk = 0x2a;
const zero = 0x30;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dollar = 0x24;
