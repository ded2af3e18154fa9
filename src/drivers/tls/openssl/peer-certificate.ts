/** Certificates of peers: what they hold, and whether they are good. */
import { X509Certificate } from 'node:crypto';
import type { Pointer } from '../../uring/libc.ts';
import type { Callbacks, OpenSsl } from './library.ts';

/** Undefined for one that Node can't read. */
export function readCertificate(openSsl: OpenSsl, certificate: Pointer): X509Certificate | undefined {
  const bio = openSsl.BIO_new(openSsl.BIO_s_mem());
  try {
    openSsl.i2d_X509_bio(bio, certificate);
    const der = Buffer.alloc(openSsl.BIO_ctrl_pending(bio));
    openSsl.BIO_readBytes(bio, der, der.length);
    return new X509Certificate(der);
  } catch {
    openSsl.ERR_clear_error();
    return undefined;
  } finally {
    openSsl.BIO_free(bio);
  }
}

/**
 * OpenSSL makes its alert of the error that is left here. A signature that is not the authority's is another
 * authority's that has its name: `unknown_ca`, not `decrypt_error`.
 */
export function verifyClient(openSsl: OpenSsl): Callbacks['verify'] {
  return (isGood, verification) => {
    if (isGood === 0 && openSsl.X509_STORE_CTX_get_error(verification) === signatureFailure)
      openSsl.X509_STORE_CTX_set_error(verification, unableToGetIssuer);
    return isGood;
  };
}

/** X509_V_ERR_CERT_SIGNATURE_FAILURE and X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY. */
const signatureFailure = 7;
const unableToGetIssuer = 20;

/** A certificate that is refused is forgotten with its handshake. So that of a server is noted here. */
export class RefusedServers {
  readonly #openSsl: OpenSsl;
  #last: X509Certificate | undefined;

  constructor(openSsl: OpenSsl) {
    this.#openSsl = openSsl;
  }

  readonly verify: Callbacks['verify'] = (isGood, verification) => {
    if (isGood === 0)
      this.#last = readCertificate(this.#openSsl, this.#openSsl.X509_STORE_CTX_get0_cert(verification));
    return isGood;
  };

  /** That of the handshake that has just failed. */
  take(): X509Certificate | undefined {
    const last = this.#last;
    this.#last = undefined;
    return last;
  }
}
