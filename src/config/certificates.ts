/** The certificates that a configuration has the proxy show: to clients, and to backends. */
import { X509Certificate } from 'node:crypto';
import { certificateFacts } from '../drivers/tls/certificate-names.ts';
import type { Config, PoolConfig } from './config.ts';

export interface OwnCertificate {
  /** The listener or pool that has it; a pool's is shown to the backends, in sessions or in checks. */
  readonly of: { readonly listener: string } | { readonly pool: string };
  /** The first name that it is for, or the address; its serial number where it says neither. */
  readonly name: string;
  /** Until when it is good, in milliseconds since 1970. */
  readonly notAfterMs: number;
  /** Which one it is, of those for one name: its SHA-256. */
  readonly fingerprint: string;
}

/** How long before its end a certificate is reported: 14 days. */
export const soonMs = 14 * 24 * 60 * 60 * 1_000;

/** In the order of the file, the first of a chain each. */
export function ownCertificates({
  listeners,
  pools,
}: Pick<Config, 'listeners' | 'pools'>): readonly OwnCertificate[] {
  return [
    ...listeners.flatMap(({ name: listener, policy: { tls } }) =>
      tls === 'off' ? [] : tls.certificates.map(({ cert }) => certificateOf({ listener }, cert)),
    ),
    ...pools.flatMap((pool) => shownToBackends(pool).map((cert) => certificateOf({ pool: pool.name }, cert))),
  ];
}

function certificateOf(of: OwnCertificate['of'], pem: string): OwnCertificate {
  const certificate = new X509Certificate(pem);
  const { validTo, fingerprint256: fingerprint } = certificate;
  return { of, name: nameOf(pem, certificate), notAfterMs: Date.parse(validTo), fingerprint };
}

function nameOf(pem: string, { subjectAltName = '', subject, serialNumber }: X509Certificate): string {
  const [dnsName] = certificateFacts(pem).names;
  const [, address] = /IP Address:([^,]+)/.exec(subjectAltName) ?? [];
  const [, commonName] = /^CN=(.+)$/m.exec(subject) ?? [];
  return dnsName ?? address ?? commonName ?? serialNumber;
}

/** Checks may show another one than sessions. */
function shownToBackends({ policy, healthCheck }: PoolConfig): readonly string[] {
  const sides = [policy.connect, healthCheck?.connection, healthCheck?.connectionElsewhere];
  const certificates = sides.map((side) =>
    side === undefined || side.tls === 'off' ? undefined : side.tls.cert,
  );
  return [...new Set(certificates)].filter((cert) => cert !== undefined);
}
