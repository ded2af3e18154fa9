import { ofPool, type Row } from '../dashboard.ts';
import { graph, type StateWord, states } from '../panel.ts';
import { quantiles } from '../promql.ts';

const held: readonly StateWord[] = [
  ['no', 'green'],
  ['held', 'blue'],
];

export const queue: Row = {
  title: 'Queue',
  panels: [
    graph(
      {
        title: 'Clients in the queue',
        description: 'How many clients wait for a free place at a backend, and how many may?',
        unit: 'short',
        width: 8,
      },
      {
        '{{pool}}': `sum by (pool) (sluice_pool_queue_length{${ofPool}})`,
        '{{pool}} limit': `sum by (pool) (sluice_pool_queue_limit{${ofPool}})`,
      },
    ),
    graph(
      {
        title: 'Wait in the queue',
        description: 'How long were clients in the queue that have left it, in whatever way?',
        unit: 's',
        width: 8,
      },
      quantiles(`sluice_pool_queue_wait_seconds{${ofPool}}`, 'pool'),
    ),
    graph(
      {
        title: 'Longest wait now',
        description: 'For how long has the first in the queue waited? `queue.timeout` is the end of it.',
        unit: 's',
        width: 8,
      },
      { '{{pool}}': `max by (pool) (sluice_pool_queue_longest_wait_seconds{${ofPool}})` },
    ),
    states(
      {
        title: 'Held',
        description: 'When did an operator hold the pool, so that its clients waited?',
        width: 24,
      },
      { '{{instance}} {{pool}}': `sluice_pool_held{${ofPool}}` },
      held,
    ),
  ],
};
