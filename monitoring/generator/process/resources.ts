import { here, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
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
        title: 'Descriptors',
        description: 'How many descriptors are in use, and how many may be? A session takes two.',
        unit: 'short',
        width: 8,
      },
      {
        '{{instance}} in use': `process_open_fds{${here}} ${ours}`,
        '{{instance}} limit': `process_max_fds{${here}} ${ours}`,
      },
    ),
  ],
};
