import { here, type Plan } from './dashboard.ts';
import { figure, graph, type StateWord, states, table } from './panel.ts';

/** Only processes of sluice, where Prometheus scrapes others too. */
const ours = `and on (job, instance) sluice_build_info{${here}}`;

const phases: readonly StateWord[] = [
  ['serving', 'green'],
  ['draining', 'orange'],
];

/** Does the process itself have what it needs? */
export const processes: Plan = {
  uid: 'sluice-process',
  title: 'sluice / Process',
  description: 'The processes of sluice themselves: version, configuration, CPU, memory, descriptors.',
  ofPools: false,
  rows: {
    Now: [
      figure(
        { title: 'Processes', description: 'How many processes answer?', unit: 'short', width: 4 },
        `count(sluice_build_info{${here}})`,
      ),
      figure(
        {
          title: 'Draining',
          description: 'How many finish their sessions to stop?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_draining{${here}})`,
        { warning: 1 },
      ),
      figure(
        {
          title: 'Youngest process',
          description: 'When did a process last start? Short times again and again are a crash loop.',
          unit: 's',
          width: 4,
        },
        `min(time() - process_start_time_seconds{${here}} ${ours})`,
      ),
      figure(
        {
          title: 'Configuration loaded',
          description: 'How long ago was a configuration last loaded, at the start or by a reload?',
          unit: 's',
          width: 4,
        },
        `min(time() - sluice_config_last_reload_success_timestamp_seconds{${here}})`,
      ),
      figure(
        {
          title: 'Failed reloads',
          description:
            'How often was a configuration refused in the last day? The process keeps the one it has.',
          unit: 'short',
          width: 4,
        },
        `sum(increase(sluice_config_reloads_total{${here}, result="failure"}[1d]))`,
        { warning: 1 },
      ),
      figure(
        {
          title: 'Descriptors in use',
          description: 'What share of its descriptors does the fullest process use? At 100 % clients wait.',
          unit: 'percentunit',
          width: 4,
        },
        `max(process_open_fds{${here}} / process_max_fds{${here}} ${ours})`,
        { warning: 0.7, critical: 0.85 },
      ),
    ],
    Processes: [
      table(
        {
          title: 'What runs',
          description: 'Do all processes run the same version, on the same Node.js and driver?',
          width: 12,
        },
        { instance: 'Process', version: 'Version', node: 'Node.js', driver: 'Driver' },
        [
          {
            title: 'Running for',
            unit: 's',
            expr: `time() - process_start_time_seconds{${here}} * on (job, instance) group_left (version, node, driver) sluice_build_info{${here}}`,
          },
        ],
      ),
      states(
        { title: 'Phase', description: 'When did a process drain in order to stop?', width: 12 },
        { '{{instance}}': `sluice_draining{${here}}` },
        phases,
      ),
    ],
    Resources: [
      graph(
        {
          title: 'CPU',
          description:
            'How many cores does a process use? `workers` of them can be busy with clients, and one more with the rest.',
          unit: 'short',
          width: 12,
        },
        {
          '{{instance}}': `sum by (instance) (rate(process_cpu_seconds_total{${here}}[$__rate_interval]) ${ours})`,
        },
      ),
      graph(
        {
          title: 'Memory',
          description:
            'How much memory does a process hold? It grows with the connections. Growth without them is a leak.',
          unit: 'bytes',
          width: 12,
        },
        { '{{instance}}': `process_resident_memory_bytes{${here}} ${ours}` },
      ),
      graph(
        {
          title: 'Descriptors',
          description: 'How many descriptors are in use, and how many may be? A session takes two.',
          unit: 'short',
          width: 12,
        },
        {
          '{{instance}} in use': `process_open_fds{${here}} ${ours}`,
          '{{instance}} limit': `process_max_fds{${here}} ${ours}`,
        },
      ),
      graph(
        {
          title: 'Reloads',
          description: 'When was a configuration loaded, and when refused?',
          unit: 'short',
          width: 12,
        },
        {
          '{{instance}} {{result}}': `increase(sluice_config_reloads_total{${here}}[$__rate_interval])`,
        },
      ),
    ],
  },
};
