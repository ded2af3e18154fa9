/** The authorities that Node believes where none are named: its own, and those of NODE_EXTRA_CA_CERTS. */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';

/** As one PEM text, read once. */
export function systemAuthorities(): string {
  known ??= [...believed()].join('\n');
  return known;
}

let known: string | undefined;

function believed(): readonly string[] {
  // Since Node 22.15, and with what its options add (--use-system-ca).
  if ('getCACertificates' in tls && typeof tls.getCACertificates === 'function')
    return tls.getCACertificates('default');
  return [...tls.rootCertificates, ...extra()];
}

function extra(): readonly string[] {
  const file = process.env['NODE_EXTRA_CA_CERTS'];
  if (file === undefined || file === '') return [];
  try {
    return [readFileSync(file, 'latin1')];
  } catch {
    // Node warns of it.
    return [];
  }
}
