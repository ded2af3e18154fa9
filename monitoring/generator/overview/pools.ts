import { here, type Row } from '../dashboard.ts';
import { table } from '../panel.ts';
import { perSecond } from '../promql.ts';

export const pools: Row = {
  title: 'Pools',
  panels: [
    table(
      {
        title: 'Pools',
        description:
          'Which pool is in trouble? One without a backend that is up refuses its clients, or lets them wait.',
        width: 24,
      },
      { instance: 'Process', pool: 'Pool' },
      [
        { title: 'Backends', expr: `count by (instance, pool) (sluice_backend_up{${here}})` },
        { title: 'Up', expr: `sum by (instance, pool) (sluice_backend_up{${here}})` },
        {
          title: 'Drained',
          expr: `sum by (instance, pool) (sluice_backend_weight{${here}} == bool 0)`,
        },
        {
          title: 'Breakers not closed',
          expr: `sum by (instance, pool) (sluice_backend_circuit_state{${here}, state=~"open|half-open"})`,
        },
        { title: 'Connections', expr: `sum by (instance, pool) (sluice_pool_connections_active{${here}})` },
        { title: 'In the queue', expr: `sum by (instance, pool) (sluice_pool_queue_length{${here}})` },
        {
          title: 'Failed dials',
          unit: 'cps',
          expr: perSecond(`sluice_backend_connect_failures_total{${here}}`, 'instance, pool'),
        },
        {
          title: 'Retries',
          unit: 'cps',
          expr: perSecond(`sluice_dial_retries_total{${here}}`, 'instance, pool'),
        },
      ],
    ),
  ],
};
