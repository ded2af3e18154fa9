import { type Family, labelsOf, single } from './family.ts';

export const processFamilies: readonly Family[] = [
  {
    name: 'sluice_build_info',
    help: 'Always 1; the labels say what runs',
    type: 'gauge',
    read: ({ build: { version, node, driver } }, sample) => sample(labelsOf({ version, node, driver }), 1),
  },
  {
    name: 'sluice_config_reloads_total',
    help: 'Reloads of the configuration',
    type: 'counter',
    read: ({ control: { reloads } }, sample) => {
      for (const [result, count] of Object.entries(reloads)) sample(labelsOf({ result }), count);
    },
  },
  single(
    {
      name: 'sluice_config_last_reload_successful',
      help: '0 where the last reload was refused, so that an older configuration runs; else 1, also without a reload',
      type: 'gauge',
    },
    ({ control }) => (control.lastReloadFailed ? 0 : 1),
  ),
  single(
    {
      name: 'sluice_config_last_reload_success_timestamp_seconds',
      help: 'When the configuration that runs was loaded, in seconds since 1970',
      type: 'gauge',
    },
    ({ control }) => control.lastReloadMs / 1_000,
  ),
  single(
    {
      name: 'sluice_draining',
      help: '1 while the proxy finishes its sessions in order to stop',
      type: 'gauge',
    },
    ({ snapshot: { phase } }) => (phase === 'draining' ? 1 : 0),
  ),
];
