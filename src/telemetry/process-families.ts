import type { Family } from './family.ts';

export const processFamilies: readonly Family[] = [
  {
    name: 'sluice_build_info',
    help: 'Always 1; the labels say what runs',
    type: 'gauge',
    samples: ({ build }) => {
      const { version, node, driver } = build;
      return [{ labels: { version, node, driver }, value: 1 }];
    },
  },
  {
    name: 'sluice_config_reloads_total',
    help: 'Reloads of the configuration',
    type: 'counter',
    samples: ({ control: { reloads } }) => [
      { labels: { result: 'success' }, value: reloads.success },
      { labels: { result: 'failure' }, value: reloads.failure },
    ],
  },
  {
    name: 'sluice_config_last_reload_success_timestamp_seconds',
    help: 'When the configuration that runs was loaded, in seconds since 1970',
    type: 'gauge',
    samples: ({ control }) => [{ labels: {}, value: control.lastReloadMs / 1_000 }],
  },
  {
    name: 'sluice_draining',
    help: '1 while the proxy finishes its sessions in order to stop',
    type: 'gauge',
    samples: ({ snapshot }) => [{ labels: {}, value: snapshot.phase === 'draining' ? 1 : 0 }],
  },
];
