import { here, type Row } from '../dashboard.ts';
import { graph, type StateWord, states, table } from '../panel.ts';

const phases: readonly StateWord[] = [
  ['serving', 'green'],
  ['draining', 'orange'],
];

export const runs: Row = {
  title: 'What runs',
  panels: [
    table(
      {
        title: 'Versions',
        description:
          'Do all processes run the same version and configuration, on the same Node.js and driver?',
        width: 12,
      },
      { instance: 'Process', version: 'Version', node: 'Node.js', driver: 'Driver', hash: 'Configuration' },
      [
        {
          title: 'Running for',
          unit: 's',
          expr: `time() - process_start_time_seconds{${here}}
  * on (job, instance) group_left (version, node, driver) sluice_build_info{${here}}
  * on (job, instance) group_left (hash) sluice_config_hash{${here}}`,
        },
      ],
    ),
    states(
      { title: 'Phase', description: 'When did a process drain in order to stop?', width: 6 },
      { '{{instance}}': `sluice_draining{${here}}` },
      phases,
    ),
    graph(
      {
        title: 'Reloads',
        description: 'When was a configuration loaded, and when refused?',
        unit: 'short',
        width: 6,
      },
      { '{{instance}} {{result}}': `increase(sluice_config_reloads_total{${here}}[$__rate_interval])` },
    ),
  ],
};
