/** Why OpenSSL has refused, in its own words. */

import type { Pointer } from '../../uring/libc.ts';
import * as ssl from './constants.ts';
import type { OpenSsl } from './library.ts';

/** What Node's own use of OpenSSL has left on this thread would be taken for an error of the calls that follow. */
export function forgetOthersErrors(openSsl: OpenSsl): void {
  // To clear the queue takes longer than to find it empty.
  if (openSsl.ERR_peek_error() !== 0) openSsl.ERR_clear_error();
}

/**
 * The first error that this thread has noted, and forgets all of them: one that stays is taken for that of a later
 * call.
 */
export function takeReason(openSsl: OpenSsl): string {
  const error = openSsl.ERR_get_error();
  openSsl.ERR_clear_error();
  return (error === 0 ? null : openSsl.ERR_reason_error_string(error)) ?? 'unknown failure';
}

/** What is wrong with the peer's certificate; undefined where nothing is, or it has shown none. */
export function certificateProblem(openSsl: OpenSsl, connection: Pointer): CertificateProblem | undefined {
  const error = openSsl.SSL_get_verify_result(connection);
  if (error === ssl.X509_V_OK) return undefined;
  return {
    text: openSsl.X509_verify_cert_error_string(error),
    code: codes.get(error) ?? 'UNSPECIFIED',
    isOfName: error === ssl.X509_V_ERR_HOSTNAME_MISMATCH || error === ssl.X509_V_ERR_IP_ADDRESS_MISMATCH,
  };
}

export interface CertificateProblem {
  readonly text: string;
  /** The name that Node gives it. */
  readonly code: string;
  /** The certificate is another host's. */
  readonly isOfName: boolean;
}

/**
 * Those of Node's manual (https://nodejs.org/api/tls.html#x509-certificate-error-codes) that are not of revocation
 * lists.
 */
const codes: ReadonlyMap<number, string> = new Map([
  [2, 'UNABLE_TO_GET_ISSUER_CERT'],
  [4, 'UNABLE_TO_DECRYPT_CERT_SIGNATURE'],
  [6, 'UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY'],
  [7, 'CERT_SIGNATURE_FAILURE'],
  [9, 'CERT_NOT_YET_VALID'],
  [10, 'CERT_HAS_EXPIRED'],
  [13, 'ERROR_IN_CERT_NOT_BEFORE_FIELD'],
  [14, 'ERROR_IN_CERT_NOT_AFTER_FIELD'],
  [17, 'OUT_OF_MEM'],
  [18, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  [19, 'SELF_SIGNED_CERT_IN_CHAIN'],
  [20, 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'],
  [21, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
  [22, 'CERT_CHAIN_TOO_LONG'],
  [23, 'CERT_REVOKED'],
  [25, 'PATH_LENGTH_EXCEEDED'],
  [26, 'INVALID_PURPOSE'],
  [27, 'CERT_UNTRUSTED'],
  [28, 'CERT_REJECTED'],
  [79, 'INVALID_CA'],
]);
