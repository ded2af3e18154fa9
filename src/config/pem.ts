/** Certificates and keys in PEM files. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { KeyPair } from '../core/plan.ts';
import { soonMs } from './certificates.ts';
import type { Location } from './location.ts';
import type { NamedFile } from './named-files.ts';

/** The certificates of a file and nothing else of it. An issue if there is none, or one that is damaged. */
export function readCertificates(name: string, location: Location): string | undefined {
  const named = location.namedFile(name);
  if (named === undefined) return undefined;
  const certificates = named.text.match(certificateBlock) ?? [];
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    // A private key may stand beside them, and is left out.
    if (certificates.length > 0) return certificates.map((one) => `${one}\n`).join('');
    location.problem(`Expected a PEM file with certificates, found ${contentOf(named)}`);
  } catch {
    location.problem(`Expected a PEM file with certificates, found one that is damaged in ${named.file}`);
  }
  return undefined;
}

/** A certificate and its key, which must belong together. Warns of one that is not valid now. */
export function readKeyPair(names: KeyPair, location: Location): KeyPair | undefined {
  const certLocation = location.at('cert');
  const keyLocation = location.at('key');
  const cert = readCertificates(names.cert, certLocation);
  const key = keyLocation.namedFile(names.key);
  const privateKey = key && privateKeyIn(key, keyLocation);
  if (cert === undefined || key === undefined || privateKey === undefined) return undefined;
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(privateKey)) {
    keyLocation.problem(`Expected the key of ${names.cert}, found another in ${key.file}`);
    return undefined;
  }
  const objection = objectionTo(cert, key.text);
  if (objection !== undefined) {
    certLocation.problem(`Expected a certificate that OpenSSL takes, found one with ${objection}`);
    return undefined;
  }
  const now = new Date();
  const left = Date.parse(certificate.validTo) - now.getTime();
  if (left <= 0) certLocation.warn(`Expired on ${certificate.validTo}`);
  else if (left <= soonMs) certLocation.warn(`Expires on ${certificate.validTo}, ${inDays(left)}`);
  if (now < new Date(certificate.validFrom))
    certLocation.warn(`Is not valid before ${certificate.validFrom}`);
  return { cert, key: key.text };
}

function inDays(ms: number): string {
  const days = Math.floor(ms / 86_400_000);
  return days === 0 ? 'within a day' : `in ${days} day${days === 1 ? '' : 's'}`;
}

/** Why OpenSSL refuses a certificate with its key: the key may be too small, the signature too weak. */
function objectionTo(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
  }
}

function privateKeyIn(named: NamedFile, location: Location): KeyObject | undefined {
  const key = parsedKey(named.text) ?? parsedKey(named.text);
  if (key === undefined) {
    const what = 'a PEM file with a private key that no passphrase protects';
    location.problem(`Expected ${what}, found ${contentOf(named, 'PRIVATE KEY')}`);
  }
  return key;
}

/**
 * OpenSSL keeps the errors of a thread's earlier calls, and Node 20 takes the last of them for this call's. The call
 * empties them, so that a second one tells the truth.
 */
function parsedKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

/** What a file has instead of what was expected, for people, and what would do. */
function contentOf({ file, text }: NamedFile, expected?: string): string {
  const [, label] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text) ?? [];
  if (/-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return `an encrypted one in ${file}; "openssl pkey -in OLD -out NEW" takes its passphrase away`;
  }
  if (expected !== undefined && label?.endsWith(expected)) return `one that is damaged in ${file}`;
  if (label !== undefined) return `a ${label.toLowerCase()} in ${file}`;
  // A DER file begins with the tag of a SEQUENCE, and is no UTF-8.
  if (text.startsWith('0') && text.includes('\ufffd')) {
    return `DER in ${file}; "openssl x509 -inform der" or "openssl pkey -inform der" makes PEM of it`;
  }
  return `none in ${file}`;
}

/** What openssl's tools write around a certificate. */
const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
