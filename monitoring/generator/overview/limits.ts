import { here, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';

export const limits: Row = {
  title: 'How much of the limits is used',
  panels: [
    graph(
      {
        title: 'Connections of listeners',
        description: 'Will a listener soon refuse clients (`listener-full`)? Without a limit it is 0.',
        unit: 'percentunit',
        width: 8,
      },
      {
        '{{instance}} {{listener}}': `sluice_listener_connections_active{${here}} / sluice_listener_connections_limit{${here}}`,
      },
    ),
    graph(
      {
        title: 'Connections of pools',
        description:
          'Will a pool soon let clients wait or refuse them (`pool-full`)? Its own limit counts, or those of all its ' +
          'backends together, whichever is fuller.',
        unit: 'percentunit',
        width: 8,
      },
      {
        '{{instance}} {{pool}}': `sluice_pool_connections_active{${here}} / sluice_pool_connections_limit{${here}}`,
        '{{instance}} {{pool}}, all backends': `sum by (instance, pool) (sluice_backend_connections_active{${here}})
  / sum by (instance, pool) (sluice_backend_connections_limit{${here}})`,
      },
    ),
    graph(
      {
        title: 'Places in queues',
        description: 'Will a queue soon refuse clients (`queue-full`)? Pools without a queue are left out.',
        unit: 'percentunit',
        width: 8,
      },
      {
        '{{instance}} {{pool}}': `sluice_pool_queue_length{${here}} / (sluice_pool_queue_limit{${here}} > 0)`,
      },
    ),
  ],
};
