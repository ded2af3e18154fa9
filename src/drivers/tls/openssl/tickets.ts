/**
 * Session tickets with the keys that all threads share (`ticket-keys.ts`), sealed as OpenSSL does by itself and Node
 * too: AES-128-CBC and HMAC-SHA-256, so that either engine opens the other's. OpenSSL calls back for each ticket.
 */
import { randomFillSync } from 'node:crypto';
import type { TicketKeys } from '../../ticket-keys.ts';
import * as ssl from './constants.ts';
import type { Callbacks, OpenSsl } from './library.ts';

export function ticketKey(openSsl: OpenSsl, keys: TicketKeys): Callbacks['ticketKey'] {
  // OpenSSL keeps them for its life. What is not fetched it looks up for each ticket, which takes longer than the rest.
  const cipherType = openSsl.EVP_CIPHER_fetch(0, 'AES-128-CBC', 0);
  const digest = openSsl.EVP_MD_fetch(0, 'SHA256', 0);
  const fresh = new FreshVectors();
  const name = new Uint8Array(nameBytes);
  const initialVector = new Uint8Array(initialVectorBytes);
  return (connection, nameAt, initialVectorAt, cipher, hmac, isNew) => {
    if (isNew !== 0) {
      const key = keys.current;
      const vector = fresh.next();
      openSsl.memcpyIn(nameAt, key.name, nameBytes);
      openSsl.memcpyIn(initialVectorAt, vector, initialVectorBytes);
      const isSet =
        openSsl.EVP_EncryptInit_ex(cipher, cipherType, 0, key.aes, vector) === 1 &&
        openSsl.HMAC_Init_ex(hmac, key.hmac, key.hmac.length, digest, 0) === 1;
      return isSet ? usable : failed;
    }
    openSsl.memcpyOut(name, nameAt, nameBytes);
    openSsl.memcpyOut(initialVector, initialVectorAt, initialVectorBytes);
    const key = keys.find(name);
    if (key === undefined) return unknown;
    const isSet =
      openSsl.HMAC_Init_ex(hmac, key.hmac, key.hmac.length, digest, 0) === 1 &&
      openSsl.EVP_DecryptInit_ex(cipher, cipherType, 0, key.aes, initialVector) === 1;
    if (!isSet) return failed;
    // A client of TLS 1.3 shows a ticket once (RFC 8446, C.4), and would have none left.
    const isSpent = openSsl.SSL_version(connection) === ssl.TLS1_3_VERSION;
    return isSpent || key !== keys.current ? usableAndToBeRenewed : usable;
  };
}

/** Chance for many tickets at once: to draw 16 bytes takes as long as to draw some thousand. */
class FreshVectors {
  readonly #drawn = new Uint8Array(vectorsDrawn * initialVectorBytes);
  #used = this.#drawn.length;

  next(): Uint8Array {
    if (this.#used === this.#drawn.length) {
      randomFillSync(this.#drawn);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += initialVectorBytes;
    return this.#drawn.subarray(start, this.#used);
  }
}

/** The answers of SSL_CTX_set_tlsext_ticket_key_cb(3). */
const failed = -1;
const unknown = 0;
const usable = 1;
const usableAndToBeRenewed = 2;
const nameBytes = 16;
const initialVectorBytes = 16;
const vectorsDrawn = 256;
