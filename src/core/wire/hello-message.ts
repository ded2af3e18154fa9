/**
 * Puts the ClientHello message together from the TLS records that carry it (RFC 8446, 5.1): fragments of any
 * size, none empty, nothing else between them, and nothing behind the message in its last record, for there a
 * client must wait. Any record version 3.x will do (RFC 5246, E.1).
 */
import { Cursor } from './cursor.ts';
import type { ParseResult } from './parse-result.ts';

type Message = ParseResult<{ readonly body: Cursor }>;

export class HelloMessage {
  /** The next byte to look at, and where its record ends; none while a record's header comes next. */
  #at = 0;
  #recordEnd: number | undefined;
  /** How many bytes of the message's own header were read, what length it claims, how much of that is to come. */
  #headerRead = 0;
  #length = 0;
  #remaining = 0;
  #answer: Message = { state: 'incomplete' };

  /**
   * `body` is the message without its header: in place if one record carries it whole, or else put together in
   * memory of its own, which is taken only once everything is there.
   */
  read(bytes: Uint8Array): Message {
    let advanced = this.#answer.state === 'incomplete';
    while (advanced) {
      advanced = this.#recordEnd === undefined ? this.#enterRecord(bytes) : this.#passRecord(bytes);
    }
    return this.#answer;
  }

  #enterRecord(bytes: Uint8Array): boolean {
    const start = this.#at;
    if (bytes.length < start + recordHeaderLength) return false;
    const length = recordLength(bytes, start);
    const isHandshake = bytes[start] === handshakeRecord && bytes[start + 1] === majorVersion;
    if (!isHandshake || length === 0 || length > maxRecordLength) return this.#refuse();
    this.#at = start + recordHeaderLength;
    this.#recordEnd = this.#at + length;
    return true;
  }

  #passRecord(bytes: Uint8Array): boolean {
    const end = this.#recordEnd ?? 0;
    while (this.#headerRead < messageHeaderLength && this.#at < end) {
      const byte = bytes[this.#at];
      if (byte === undefined) return false;
      if (!this.#readHeaderByte(byte)) return this.#refuse();
      this.#at++;
    }
    if (end - this.#at > this.#remaining) return this.#refuse();
    if (bytes.length < end) return false;
    this.#remaining -= end - this.#at;
    this.#at = end;
    this.#recordEnd = undefined;
    if (this.#headerRead < messageHeaderLength || this.#remaining > 0) return true;
    this.#answer = { state: 'complete', body: this.#body(bytes) };
    return false;
  }

  /** The type, then the length in three bytes, of which the first stays 0: 64 KiB are more than any hello has. */
  #readHeaderByte(byte: number): boolean {
    const expected = [clientHello, 0][this.#headerRead++];
    if (expected !== undefined) return byte === expected;
    this.#length = (this.#length << 8) | byte;
    this.#remaining = this.#length;
    return true;
  }

  #body(bytes: Uint8Array): Cursor {
    const total = messageHeaderLength + this.#length;
    if (this.#at === recordHeaderLength + total) {
      return new Cursor(bytes, recordHeaderLength + messageHeaderLength, this.#at);
    }
    const message = new Uint8Array(total);
    let at = 0;
    let filled = 0;
    while (filled < total) {
      const end = at + recordHeaderLength + recordLength(bytes, at);
      at += recordHeaderLength;
      // Byte by byte: records can be as small as one byte, and a view of each would cost far more.
      while (at < end) message[filled++] = bytes[at++] ?? 0;
    }
    return new Cursor(message, messageHeaderLength, total);
  }

  #refuse(): false {
    this.#answer = { state: 'mismatch' };
    return false;
  }
}

function recordLength(bytes: Uint8Array, start: number): number {
  return ((bytes[start + 3] ?? 0) << 8) | (bytes[start + 4] ?? 0);
}

const recordHeaderLength = 5;
const handshakeRecord = 22;
const majorVersion = 3;
const maxRecordLength = 2 ** 14;
const messageHeaderLength = 4;
const clientHello = 1;
