/** Certificates of a listener that clients never see, because another comes first. */
import { CertificateTable, certificateFacts } from '../drivers/tls/certificate-names.ts';
import type { Location } from './location.ts';

export interface NamedCertificate {
  readonly location: Location;
  /** As the file names it. */
  readonly name: string;
  readonly cert: string;
}

/**
 * Warns where a name has two certificates with keys of the same kind: only the first is shown. One certificate of each
 * kind is no mistake, and neither is an exact name beside a wildcard.
 */
export function warnOfOverlaps(certificates: readonly NamedCertificate[]): void {
  const facts = certificates.map(({ cert }) => certificateFacts(cert));
  const table = new CertificateTable(facts);
  for (const [index, { location }] of certificates.entries()) {
    const { names, keyKind } = facts[index] ?? { names: [], keyKind: '' };
    if (names.length === 0) {
      if (!table.byDefault.includes(index)) location.warn('Is never shown, as it is for no DNS name');
      continue;
    }
    const lost = [...new Set(names)].filter((name) => !table.servedBy(name).includes(index));
    if (lost.length === 0) continue;
    const [shown] = table.servedBy(lost[0] ?? '').filter((other) => facts[other]?.keyKind === keyKind);
    const before = `${certificates[shown ?? 0]?.name} comes first, with an ${keyKind.toUpperCase()} key too`;
    const isAll = lost.length === new Set(names).size;
    location.warn(`Is ${isAll ? 'never shown' : 'not shown'} for ${listed(lost)}: ${before}`);
  }
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${some} and ${names.length - 3} more` : some;
}
