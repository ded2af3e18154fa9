/** Certificates and keys in PEM files. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { KeyPair } from '../core/plan.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import { type ReadFile, readNamedFile } from './named-files.ts';

/** The certificates of a file with at least one, all of them readable, and nothing else of it; else an issue. */
export function readCertificates(
  document: ConfigDocument,
  path: Path,
  name: string,
  readFile: ReadFile,
): string | undefined {
  const named = readNamedFile(document, path, name, readFile);
  if (named === undefined) return undefined;
  const certificates = named.text.match(certificateBlock) ?? [];
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    // Without a private key that may stand beside them.
    if (certificates.length > 0) return certificates.map((one) => `${one}\n`).join('');
    document.problem(path, `Expected a PEM file with certificates, found none in ${named.file}`);
  } catch {
    document.problem(
      path,
      `Expected a PEM file with certificates, found one that is damaged in ${named.file}`,
    );
  }
  return undefined;
}

/** A certificate and its key, which must belong together. Warns of one that is not valid now. */
export function readKeyPair(
  document: ConfigDocument,
  path: Path,
  names: KeyPair,
  readFile: ReadFile,
): KeyPair | undefined {
  const cert = readCertificates(document, [...path, 'cert'], names.cert, readFile);
  const key = readNamedFile(document, [...path, 'key'], names.key, readFile);
  const privateKey = key && privateKeyIn(document, [...path, 'key'], key);
  if (cert === undefined || key === undefined || privateKey === undefined) return undefined;
  const certificate = new X509Certificate(cert);
  if (!certificate.checkPrivateKey(privateKey)) {
    document.problem([...path, 'key'], `Expected the key of ${names.cert}, found another in ${key.file}`);
    return undefined;
  }
  const objection = objectionTo(cert, key.text);
  if (objection !== undefined) {
    document.problem(
      [...path, 'cert'],
      `Expected a certificate that OpenSSL takes, found one with ${objection}`,
    );
    return undefined;
  }
  const now = new Date();
  if (now > new Date(certificate.validTo))
    document.warn([...path, 'cert'], `Expired on ${certificate.validTo}`);
  if (now < new Date(certificate.validFrom))
    document.warn([...path, 'cert'], `Is not valid before ${certificate.validFrom}`);
  return { cert, key: key.text };
}

/** Why no TLS can be spoken with a pair that belongs together: keys may be too small, signatures too weak. */
function objectionTo(cert: string, key: string): string | undefined {
  try {
    createSecureContext({ cert, key });
    return undefined;
  } catch (error) {
    return error instanceof Error && 'reason' in error ? String(error.reason) : String(error);
  }
}

function privateKeyIn(
  document: ConfigDocument,
  path: Path,
  { file, text }: { readonly file: string; readonly text: string },
): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    const isEncrypted = text.includes('ENCRYPTED');
    const found = isEncrypted ? 'an encrypted one' : 'none';
    document.problem(
      path,
      `Expected a PEM file with a private key that no passphrase protects, found ${found} in ${file}`,
    );
    return undefined;
  }
}

/** What openssl's tools write around a certificate. */
const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;
