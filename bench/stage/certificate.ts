import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { selfSigned } from '../../test/support/certificate.ts';
import { type CertificateFiles, serverName } from '../subjects/subject.ts';
import { temporaryDirectory } from './processes.ts';

let files: CertificateFiles | undefined;

/** The certificate of this run, ECDSA over P-256, the same for every subject. */
export function certificate(): CertificateFiles {
  files ??= written();
  return files;
}

function written(): CertificateFiles {
  const { cert, key } = selfSigned(serverName);
  const write = (file: string, text: string): string => {
    const path = join(temporaryDirectory(), file);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  return {
    cert: write('cert.pem', cert),
    key: write('key.pem', key),
    bundle: write('bundle.pem', cert + key),
  };
}
