import type { Family } from './family.ts';

/** What is known of pools that have backends by name. */
export const nameFamilies: readonly Family[] = [
  {
    name: 'sluice_dns_failures_total',
    help: 'Lookups of names of the backends that failed, in whole or in part',
    type: 'counter',
    read: ({ observations: { names }, snapshot: { pools } }, sample) => {
      for (const { name, labels } of pools)
        if (names.of(name).length > 0) sample(labels, names.failures(name));
    },
  },
  {
    name: 'sluice_dns_last_success_timestamp_seconds',
    help: 'When the name was resolved that has been resolved longest ago, in seconds since 1970; 0 where one never was',
    type: 'gauge',
    read: ({ observations: { names }, snapshot: { pools } }, sample) => {
      for (const { name, labels } of pools) {
        const times = names.of(name).map(({ lastSuccessMs = 0 }) => lastSuccessMs / 1_000);
        if (times.length > 0) sample(labels, Math.min(...times));
      }
    },
  },
];
