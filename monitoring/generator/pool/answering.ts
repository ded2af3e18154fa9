import { ofPool, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond, quantile, quantiles } from '../promql.ts';

export const answering: Row = {
  title: 'Answering',
  panels: [
    graph(
      {
        title: 'Time to the first byte',
        description:
          'How long does a backend take to say something, from the moment it is connected? That includes the time ' +
          'in which the client has not asked yet.',
        unit: 's',
        width: 8,
      },
      quantiles(`sluice_pool_first_byte_seconds{${ofPool}}`, 'pool'),
    ),
    graph(
      {
        title: 'Mean time to the first byte by backend',
        description: 'Which backend is slower than the others?',
        unit: 's',
        width: 8,
      },
      {
        '{{pool}} {{backend}}': `rate(sluice_backend_first_byte_seconds_sum{${ofPool}}[$__rate_interval])
/ rate(sluice_backend_first_byte_seconds_count{${ofPool}}[$__rate_interval])`,
      },
    ),
    graph(
      {
        title: 'Duration of sessions, slowest tenth',
        description: 'How long do sessions stay at a backend?',
        unit: 's',
        width: 8,
      },
      { '{{pool}}': quantile(0.9, `sluice_backend_session_duration_seconds{${ofPool}}`, 'pool') },
    ),
    graph(
      {
        title: 'Ends by backend and reason, without `finished`',
        description: 'Which backend ends sessions in another way than the others do?',
        unit: 'cps',
        width: 24,
      },
      {
        '{{pool}} {{backend}} {{reason}}': perSecond(
          `sluice_backend_sessions_closed_total{${ofPool}, reason!="finished"}`,
          'pool, backend, reason',
        ),
      },
      { stacked: true },
    ),
  ],
};
