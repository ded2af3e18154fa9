/**
 * Session tickets with the keys that all threads share (`ticket-keys.ts`), sealed as OpenSSL does by itself and Node
 * too: AES-128-CBC and HMAC-SHA-256, so that either engine opens the other's. OpenSSL calls back for each ticket.
 */
import { randomBytes } from 'node:crypto';
import type { TicketKeys } from '../../ticket-keys.ts';
import type { Callbacks, OpenSsl } from './library.ts';

export function ticketKey(openSsl: OpenSsl, keys: TicketKeys): Callbacks['ticketKey'] {
  const cipherType = openSsl.EVP_aes_128_cbc();
  const digest = openSsl.EVP_sha256();
  const name = new Uint8Array(nameBytes);
  const initialVector = new Uint8Array(initialVectorBytes);
  return (_, nameAt, initialVectorAt, cipher, hmac, isNew) => {
    if (isNew !== 0) {
      const key = keys.current;
      const fresh = randomBytes(initialVectorBytes);
      openSsl.memcpyIn(nameAt, key.name, nameBytes);
      openSsl.memcpyIn(initialVectorAt, fresh, initialVectorBytes);
      const isSet =
        openSsl.EVP_EncryptInit_ex(cipher, cipherType, 0, key.aes, fresh) === 1 &&
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
    return key === keys.current ? usable : usableAndToBeRenewed;
  };
}

/** The answers of SSL_CTX_set_tlsext_ticket_key_cb(3). */
const failed = -1;
const unknown = 0;
const usable = 1;
const usableAndToBeRenewed = 2;
const nameBytes = 16;
const initialVectorBytes = 16;
