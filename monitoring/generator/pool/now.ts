import { ofPool, type Row } from '../dashboard.ts';
import { figure } from '../panel.ts';
import { perSecond } from '../promql.ts';

export const now: Row = {
  title: 'Now',
  panels: [
    figure(
      {
        title: 'Backends up',
        description: 'What share of the backends pass their checks?',
        unit: 'percentunit',
        width: 4,
      },
      `avg(sluice_backend_up{${ofPool}})`,
    ),
    figure(
      {
        title: 'Breakers not closed',
        description: 'How many backends get no sessions, since connecting to them failed too often in a row?',
        unit: 'short',
        width: 4,
      },
      `sum(sluice_backend_circuit_state{${ofPool}, state=~"open|half-open"})`,
      { warning: 1 },
    ),
    figure(
      {
        title: 'Connections',
        description: 'How many sessions are in the pool, those that are being connected too?',
        unit: 'short',
        width: 4,
      },
      `sum(sluice_pool_connections_active{${ofPool}})`,
    ),
    figure(
      {
        title: 'New connections',
        description: 'How many sessions do backends get in a second?',
        unit: 'cps',
        width: 4,
      },
      perSecond(`sluice_backend_connections_total{${ofPool}}`),
    ),
    figure(
      {
        title: 'Failed dials',
        description: 'How many attempts to connect fail in a second? Retries hide them from clients.',
        unit: 'cps',
        width: 4,
      },
      perSecond(`sluice_backend_connect_failures_total{${ofPool}}`),
    ),
    figure(
      {
        title: 'Longest wait',
        description: 'For how long has the first in the queue waited until now?',
        unit: 's',
        width: 4,
      },
      `max(sluice_pool_queue_longest_wait_seconds{${ofPool}})`,
      { warning: 1 },
    ),
  ],
};
