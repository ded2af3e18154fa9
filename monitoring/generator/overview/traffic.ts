import { here, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond, quantile } from '../promql.ts';

export const traffic: Row = {
  title: 'Traffic',
  panels: [
    graph(
      {
        title: 'Open connections by listener',
        description: 'Who uses sluice, and does it grow? Connections that only grow are closed by nobody.',
        unit: 'short',
        width: 8,
      },
      { '{{listener}}': `sum by (listener) (sluice_listener_connections_active{${here}})` },
      { stacked: true },
    ),
    graph(
      {
        title: 'New connections by listener',
        description: 'How fast do clients come? A sudden rise is a client that retries, or an attack.',
        unit: 'cps',
        width: 8,
      },
      { '{{listener}}': perSecond(`sluice_listener_connections_total{${here}}`, 'listener') },
      { stacked: true },
    ),
    graph(
      {
        title: 'Bytes delivered',
        description: 'How much is carried, and in which direction?',
        unit: 'Bps',
        width: 8,
      },
      { '{{listener}} {{direction}}': perSecond(`sluice_bytes_total{${here}}`, 'listener, direction') },
      { stacked: true },
    ),
    graph(
      {
        title: 'Duration of sessions, slowest tenth',
        description:
          'How long do sessions last? A rise without more bytes is a slow backend, or a client that does not read.',
        unit: 's',
        width: 8,
      },
      { '{{listener}}': quantile(0.9, `sluice_session_duration_seconds{${here}}`, 'listener') },
    ),
    graph(
      {
        title: 'Open connections by process',
        description: 'Does the balancer in front spread clients evenly over the processes of sluice?',
        unit: 'short',
        width: 8,
      },
      { '{{instance}}': `sum by (instance) (sluice_listener_connections_active{${here}})` },
    ),
    graph(
      {
        title: 'Open connections by pool',
        description: 'Which pools do clients end up at?',
        unit: 'short',
        width: 8,
      },
      { '{{pool}}': `sum by (pool) (sluice_pool_connections_active{${here}})` },
      { stacked: true },
    ),
  ],
};
