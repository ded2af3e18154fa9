import { ofPool, type Row } from '../dashboard.ts';
import { graph } from '../panel.ts';
import { perSecond, quantiles } from '../promql.ts';

export const connecting: Row = {
  title: 'Connecting',
  panels: [
    graph(
      {
        title: 'Duration of dials',
        description:
          'How long does connecting take? Steps of a second are lost packets or a full accept queue.',
        unit: 's',
        width: 8,
      },
      quantiles(`sluice_backend_connect_duration_seconds{${ofPool}}`, 'pool'),
    ),
    graph(
      {
        title: 'Failed dials by backend and reason',
        description: 'Which backend refuses or does not answer?',
        unit: 'cps',
        width: 8,
      },
      {
        '{{pool}} {{backend}} {{reason}}': perSecond(
          `sluice_backend_connect_failures_total{${ofPool}}`,
          'pool, backend, reason',
        ),
      },
      { stacked: true },
    ),
    graph(
      {
        title: 'Retries',
        description:
          'How often is another backend tried? Clients notice only the time that it takes, until `connect.retries` are used up.',
        unit: 'cps',
        width: 8,
      },
      { '{{pool}}': perSecond(`sluice_dial_retries_total{${ofPool}}`, 'pool') },
    ),
    graph(
      {
        title: 'Breakers opened',
        description: 'How often did failures in a row take a backend out?',
        unit: 'cps',
        width: 8,
      },
      {
        '{{pool}} {{backend}}': perSecond(`sluice_backend_circuit_opened_total{${ofPool}}`, 'pool, backend'),
      },
    ),
    graph(
      {
        title: 'Failed health checks by backend',
        description: 'Which backend fails checks, even if not often enough in a row to be down?',
        unit: 'cps',
        width: 8,
      },
      {
        '{{pool}} {{backend}}': perSecond(
          `sluice_backend_health_checks_total{${ofPool}, result="fail"}`,
          'pool, backend',
        ),
      },
    ),
    graph(
      {
        title: 'Duration of health checks',
        description: 'How long do checks take? Those that come near `healthCheck.timeout` will fail soon.',
        unit: 's',
        width: 8,
      },
      quantiles(`sluice_backend_health_check_duration_seconds{${ofPool}}`, 'pool'),
    ),
  ],
};
