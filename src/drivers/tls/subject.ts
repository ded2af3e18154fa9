import type { X509Certificate } from 'node:crypto';

/** The subject of a certificate, one attribute a line. Before Node 26 there is none where it is empty. */
export function subjectOf(certificate: Pick<X509Certificate, 'subject'>): string {
  const subject: string | undefined = certificate.subject;
  return subject ?? '';
}
