/**
 * How strong the TLS must be that this driver speaks, as a server and as a client: Mozilla's "intermediate"
 * recommendation (https://wiki.mozilla.org/Security/Server_Side_TLS, version 5.7) without its finite-field
 * Diffie-Hellman. That is TLS 1.2 and 1.3, forward secrecy and authenticated encryption, and the client's
 * preference among the ciphers, as all are good.
 */
import { constants } from 'node:crypto';
import tls from 'node:tls';

/** The cipher suites of TLS 1.3. */
export const cipherSuites = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
].join(':');

/** The cipher suites of TLS 1.2. */
export const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export const signatures = [
  'ecdsa_secp256r1_sha256',
  'ecdsa_secp384r1_sha384',
  'ecdsa_secp521r1_sha512',
  'ed25519',
  'ed448',
  'rsa_pss_pss_sha256',
  'rsa_pss_pss_sha384',
  'rsa_pss_pss_sha512',
  'rsa_pss_rsae_sha256',
  'rsa_pss_rsae_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha256',
  'rsa_pkcs1_sha384',
  'rsa_pkcs1_sha512',
].join(':');

const classicGroups = 'X25519:P-256:P-384';
/** A hybrid with ML-KEM, which holds against quantum computers too, where this Node's OpenSSL has it (3.5). */
const hybridGroup = 'X25519MLKEM768';

/** Key exchange, the best first. */
export const groups = hasGroup(hybridGroup) ? `${hybridGroup}:${classicGroups}` : classicGroups;

export const secureOptions = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION;

/** All of it as `node:tls` takes it. */
export const strength: tls.SecureContextOptions = {
  ciphers: `${cipherSuites}:${ciphers}`,
  sigalgs: signatures,
  ecdhCurve: groups,
  minVersion: 'TLSv1.2',
  honorCipherOrder: false,
  secureOptions,
};

function hasGroup(name: string): boolean {
  try {
    tls.createSecureContext({ ecdhCurve: name, ca: [] });
    return true;
  } catch {
    return false;
  }
}
