import { here, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond } from '../promql.ts';
import { ours } from './ours.ts';

export const resources: Row = {
  title: 'Resources',
  panels: [
    graph(
      {
        title: 'CPU',
        description:
          'How many cores does a process use? `workers` of them can be busy with clients, and one more with the rest.',
        unit: 'short',
        width: 8,
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
        width: 8,
      },
      { '{{instance}}': `process_resident_memory_bytes{${here}} ${ours}` },
    ),
    graph(
      {
        title: 'How late threads are',
        description:
          'How long does work wait for its thread? Workers that are late are short of CPU. Where the main thread is, ' +
          'health checks and the admin API are too.',
        unit: 's',
        width: 8,
      },
      { '{{instance}} {{thread}}': `sluice_event_loop_lag_seconds{${here}}` },
    ),
    graph(
      {
        title: 'Buffers',
        description:
          'How much waits in memory for sides that do not read, and how much may? Near the bound, clients with most ' +
          'of it are cut off (`overloaded`).',
        unit: 'bytes',
        width: 12,
      },
      {
        '{{instance}} held': `sluice_buffer_memory_bytes{${here}}`,
        '{{instance}} limit': `sluice_buffer_memory_limit_bytes{${here}}`,
      },
    ),
    graph(
      {
        title: 'Descriptors',
        description: 'How many descriptors are in use, and how many may be? A session takes two.',
        unit: 'short',
        width: 12,
      },
      {
        '{{instance}} in use': `sluice_descriptors_open{${here}}`,
        '{{instance}} limit': `sluice_descriptors_limit{${here}}`,
      },
    ),
    graph(
      {
        title: 'Workers replaced',
        description: 'When did a worker die, with its sessions?',
        unit: 'short',
        width: 12,
      },
      { '{{instance}}': `increase(sluice_worker_restarts_total{${here}}[$__rate_interval])` },
    ),
    graph(
      {
        title: 'Log lines left out',
        description:
          'What does the log not tell? Refusals beyond ten a second are left out, and lines that nobody read in time.',
        unit: 'cps',
        width: 12,
      },
      { '{{instance}}': perSecond(`sluice_log_lines_left_out_total{${here}}`, 'instance') },
    ),
  ],
};
