/** THE TABLE of providers: what finds the addresses of each kind of target. */
import type { Target } from '../../config/config.ts';
import { hostAddresses } from './dns/host-addresses.ts';
import { serviceRecords } from './dns/service-records.ts';
import type { Provider } from './provider.ts';

export const providers: { readonly [Kind in Target['kind']]: Provider<Kind> } = {
  address:
    ({ address }) =>
    async () => ({ value: [{ address }], ttlMs: Number.POSITIVE_INFINITY }),
  name: hostAddresses,
  srv: serviceRecords,
};
