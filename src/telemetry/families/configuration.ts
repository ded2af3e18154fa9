import { labelsOf } from '../labels.ts';
import { type Family, single } from './family.ts';

export const configurationFamilies: readonly Family[] = [
  {
    name: 'sluice_config_hash',
    help: 'Always 1; the label is the beginning of the SHA-256 of the file that runs, where there is one',
    type: 'gauge',
    read: ({ origin }, sample) => {
      if (origin !== undefined) sample(labelsOf({ hash: origin.hash }), 1);
    },
  },
  {
    name: 'sluice_config_age_seconds',
    help: 'How long ago the configuration that runs was loaded',
    type: 'gauge',
    read: single(
      ({ observations, wallClockMs }) => Math.max(0, wallClockMs - observations.lastReloadMs) / 1_000,
    ),
  },
  {
    name: 'sluice_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration that runs was loaded, in seconds since 1970',
    type: 'gauge',
    read: single(({ observations }) => observations.lastReloadMs / 1_000),
  },
  {
    name: 'sluice_config_last_reload_successful',
    help: '0 where the last reload was refused, so that an older configuration runs; else 1, also without a reload',
    type: 'gauge',
    read: single(({ observations }) => (observations.lastReloadFailed ? 0 : 1)),
  },
  {
    name: 'sluice_config_reloads_total',
    help: 'Reloads of the configuration',
    type: 'counter',
    read: ({ observations: { reloads } }, sample) => {
      sample('result="success"', reloads.success);
      sample('result="failure"', reloads.failure);
    },
  },
];
