/**
 * Tells by its first bytes what a client speaks, from as few of them as make it certain. The first byte leaves
 * one candidate: 0x16 a TLS record, 0x00 the length of a PostgreSQL packet, `*` a Redis array, and a letter one
 * of the protocols that begin with a word.
 */
import { isDigit, isTokenByte } from './ascii.ts';
import { firstWord } from './first-word.ts';
import { postgresPacket } from './postgres-packet.ts';
import { type Judge, needMore, needMoreIf, notThis, type Spoken, speaksRedis, speaksTls } from './spoken.ts';

export class FirstBytes {
  #at = 0;
  #judge: Judge | undefined;
  #answer: Spoken = needMore;

  /** Takes all bytes from the first one on, again whenever there are more. */
  read(bytes: Uint8Array): Spoken {
    while (this.#answer === needMore && this.#at < bytes.length) {
      this.#judge ??= judgeFor(bytes[0] ?? 0);
      this.#answer = this.#judge(bytes, this.#at++);
    }
    return this.#answer;
  }
}

function judgeFor(first: number): Judge {
  if (first === 0x16) return tlsRecord;
  if (first === 0x00) return postgresPacket;
  if (first === asterisk) return redisArray;
  return isTokenByte(first) ? firstWord() : () => notThis;
}

/** A record of the type handshake and any version 3.x, with 1 to 16,384 bytes that begin a ClientHello. */
function tlsRecord(bytes: Uint8Array, at: number): Spoken {
  const byte = bytes[at] ?? 0;
  switch (at) {
    case 0:
    case 2:
      return needMore;
    case 1:
      return needMoreIf(byte === 3);
    case 3:
      return needMoreIf(byte <= 0x40);
    case 4: {
      const length = ((bytes[3] ?? 0) << 8) | byte;
      return needMoreIf(length > 0 && length <= 0x4000);
    }
    default:
      return byte === 1 ? speaksTls : notThis;
  }
}

/** `*<n>\r\n$`, where n has at most the seven digits of 1,048,576, the most that Redis takes. */
function redisArray(bytes: Uint8Array, at: number): Spoken {
  if (at === 0) return needMore;
  const byte = bytes[at] ?? 0;
  const previous = bytes[at - 1] ?? 0;
  if (isDigit(byte)) {
    const leadingZero = at === 1 && byte === 0x30;
    return needMoreIf((previous === asterisk || isDigit(previous)) && !leadingZero && at <= 7);
  }
  if (byte === carriageReturn) return needMoreIf(isDigit(previous));
  if (byte === lineFeed) return needMoreIf(previous === carriageReturn);
  return byte === dollar && previous === lineFeed ? speaksRedis : notThis;
}

const asterisk = 0x2a;
const carriageReturn = 0x0d;
const lineFeed = 0x0a;
const dollar = 0x24;
