import { labelsOf } from '../labels.ts';
import type { Family } from './family.ts';

export const certificateFamilies: readonly Family[] = [
  {
    name: 'sluice_certificate_expiry_timestamp_seconds',
    help: 'Until when the certificate of a listener is good, in seconds since 1970',
    type: 'gauge',
    read: ({ snapshot: { certificates } }, sample) => {
      for (const [labels, expiry] of earliest(certificates, 'listener')) sample(labels, expiry);
    },
  },
  {
    name: 'sluice_pool_certificate_expiry_timestamp_seconds',
    help: 'Until when the certificate is good that the proxy shows to the backends of a pool, in seconds since 1970',
    type: 'gauge',
    read: ({ snapshot: { certificates } }, sample) => {
      for (const [labels, expiry] of earliest(certificates, 'pool')) sample(labels, expiry);
    },
  },
  {
    name: 'sluice_backend_certificate_expiry_timestamp_seconds',
    help: 'Until when the certificate is good that the backend showed last, in seconds since 1970; absent until it shows one',
    type: 'gauge',
    read: ({ snapshot: { pools } }, sample) => {
      for (const { backends } of pools)
        for (const { labels, certificate } of backends)
          if (certificate !== undefined)
            sample(`${labels},${labelsOf({ name: certificate.name })}`, certificate.notAfterMs / 1_000);
    },
  },
];

/** By labels. Several certificates for one name, as one for each kind of key, give one sample: the earliest end. */
function earliest(
  certificates: readonly { readonly of: object; readonly name: string; readonly notAfterMs: number }[],
  owner: 'listener' | 'pool',
): ReadonlyMap<string, number> {
  const expiries = new Map<string, number>();
  for (const { of, name, notAfterMs } of certificates) {
    if (!(owner in of)) continue;
    const labels = labelsOf({ ...of, name });
    expiries.set(labels, Math.min(expiries.get(labels) ?? Number.POSITIVE_INFINITY, notAfterMs / 1_000));
  }
  return expiries;
}
