import { isBlank, isTokenByte } from './ascii.ts';
import { firstWord } from './first-word.ts';
import { postgresPacket } from './postgres-packet.ts';
import { redisArray } from './redis-array.ts';
import { type Judge, mayBe, notThis, type Spoken } from './spoken.ts';
import { tlsAlert, tlsRecord } from './tls-record.ts';

/**
 * Tells by its first bytes what a client speaks, from as few of them as make it certain, and until then what it may
 * speak: the first byte leaves few candidates. The hello of SSL 2.0, which has no room for a name, is none of them.
 */
export class FirstBytes {
  #at = 0;
  #judge: Judge | undefined;
  #answer: Spoken = anything;

  /** Takes all bytes from the first one on, again whenever there are more; each is looked at once. */
  read(bytes: Uint8Array): Spoken {
    while (this.#answer.state === 'need-more' && this.#at < bytes.length) {
      const byte = bytes[this.#at] ?? 0;
      this.#judge ??= judgeFor(byte);
      this.#answer = this.#judge(byte, this.#at++);
    }
    return this.#answer;
  }
}

function judgeFor(first: number): Judge {
  if (first === 0x16) return tlsRecord();
  if (first === 0x15) return tlsAlert();
  if (first === 0x00) return postgresPacket();
  if (first === asterisk) return redisArray();
  return isTokenByte(first) || isBlank(first) ? firstWord() : () => notThis;
}

const anything = mayBe('ssh', 'tls', 'http', 'postgres', 'redis');
const asterisk = 0x2a;
