/** Certificates and keys of OpenSSL's, from the text of PEM files. */

import type { Pointer } from '../../uring/libc.ts';
import { takeReason } from './failures.ts';
import type { OpenSsl } from './library.ts';

/** Gives each certificate to `use`, and frees it when that has returned. Throws where there is none. */
export function eachCertificate(openSsl: OpenSsl, pem: string, use: (certificate: Pointer) => void): void {
  let count = 0;
  reading(openSsl, pem, (bio) => {
    for (;;) {
      const certificate = openSsl.PEM_read_bio_X509(bio, 0, 0, noPassphrase);
      if (certificate === 0) break;
      count++;
      try {
        use(certificate);
      } finally {
        openSsl.X509_free(certificate);
      }
    }
  });
  const reason = takeReason(openSsl);
  if (count === 0) throw new Error(`no certificate: ${reason}`);
}

/** Throws where there is none, or it wants a passphrase. */
export function withKey(openSsl: OpenSsl, pem: string, use: (key: Pointer) => void): void {
  reading(openSsl, pem, (bio) => {
    const key = openSsl.PEM_read_bio_PrivateKey(bio, 0, 0, noPassphrase);
    if (key === 0) throw new Error(`no key: ${takeReason(openSsl)}`);
    try {
      use(key);
    } finally {
      openSsl.EVP_PKEY_free(key);
    }
  });
}

/** Without one, OpenSSL would ask on the terminal. */
const noPassphrase = '';

function reading(openSsl: OpenSsl, text: string, read: (bio: Pointer) => void): void {
  const bio = openSsl.BIO_new(openSsl.BIO_s_mem());
  try {
    openSsl.BIO_puts(bio, text);
    read(bio);
  } finally {
    openSsl.BIO_free(bio);
  }
}
