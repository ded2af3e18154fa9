import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CertificateFiles, serverName } from '../subjects/subject.ts';
import { temporaryDirectory } from './processes.ts';

let files: CertificateFiles | undefined;

/** The certificate of this run, ECDSA over P-256, the same for every subject. Throws without openssl(1). */
export function certificate(): CertificateFiles {
  files ??= made();
  return files;
}

function made(): CertificateFiles {
  const path = (file: string): string => join(temporaryDirectory(), file);
  const [cert, key, bundle] = [path('cert.pem'), path('key.pem'), path('bundle.pem')];
  const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key];
  const subject = ['-subj', `/CN=${serverName}`, '-addext', `subjectAltName=DNS:${serverName}`, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...keyOptions, ...subject], { stdio: 'pipe' });
  writeFileSync(bundle, readFileSync(cert, 'utf8') + readFileSync(key, 'utf8'), { mode: 0o600 });
  return { cert, key, bundle };
}
