import { ofPool, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond } from '../promql.ts';

const byBackend = `sum by (pool, backend) (sluice_backend_connections_active{${ofPool}})`;

export const load: Row = {
  title: 'Load',
  panels: [
    graph(
      {
        title: 'Connections by backend',
        description: 'Which backends carry the sessions?',
        unit: 'short',
        width: 8,
      },
      { '{{pool}} {{backend}}': byBackend },
      { stacked: true },
    ),
    graph(
      {
        title: 'New connections by backend',
        description: 'Which backends get new sessions, and which none?',
        unit: 'cps',
        width: 8,
      },
      { '{{pool}} {{backend}}': perSecond(`sluice_backend_connections_total{${ofPool}}`, 'pool, backend') },
      { stacked: true },
    ),
    graph(
      {
        title: 'Bytes by backend',
        description: 'Which backend gets or sends most, and in which direction?',
        unit: 'Bps',
        width: 8,
      },
      {
        '{{pool}} {{backend}} {{direction}}': perSecond(
          `sluice_backend_bytes_total{${ofPool}}`,
          'pool, backend, direction',
        ),
      },
      { stacked: true },
    ),
    graph(
      {
        title: 'Unevenness',
        description:
          'How many times as many sessions as the mean does the fullest backend have? 1 is even; weights, ' +
          '`source-hash` and `first` are uneven on purpose.',
        unit: 'short',
        width: 12,
      },
      { '{{pool}}': `max by (pool) (${byBackend}) / avg by (pool) (${byBackend})` },
    ),
    graph(
      {
        title: 'Weight by backend',
        description:
          'Which share of new sessions is each backend given? A rising line is a slow start, 0 a backend that is ' +
          'drained or in maintenance.',
        unit: 'short',
        width: 12,
      },
      { '{{instance}} {{pool}} {{backend}}': `sluice_backend_weight{${ofPool}}` },
    ),
  ],
};
