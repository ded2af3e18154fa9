import { ofPool, type Plan } from './dashboard.ts';
import { figure, graph, type StateWord, states, table } from './panel.ts';
import { perSecond, quantile } from './promql.ts';

const health: readonly StateWord[] = [
  ['down', 'red'],
  ['up', 'green'],
];
const breaker: readonly StateWord[] = [
  ['closed', 'green'],
  ['half-open', 'orange'],
  ['open', 'red'],
];

/** The place of the breaker's state in `breaker`. */
const breakerState = `sum by (instance, pool, backend) (
  sluice_backend_circuit_state{${ofPool}, state="half-open"} or 2 * sluice_backend_circuit_state{${ofPool}, state="open"}
)`;

const dialQuantile = (share: number): string =>
  quantile(share, `sluice_backend_connect_duration_seconds{${ofPool}}`, 'pool');

/** Which backend is the culprit? */
export const pool: Plan = {
  uid: 'sluice-pool',
  title: 'sluice / Pool',
  description: 'The backends of a pool: which one is down, slow, full or fails.',
  ofPools: true,
  rows: {
    Now: [
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
          description:
            'How many backends get no sessions, since connecting to them failed too often in a row?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_backend_circuit_state{${ofPool}, state=~"open|half-open"})`,
        { warning: 1 },
      ),
      figure(
        {
          title: 'Connections',
          description: 'How many sessions hold a place at a backend, or are being connected?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_backend_connections_active{${ofPool}})`,
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
          title: 'In the queue',
          description: 'How many clients wait for a free place at a backend?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_pool_queue_length{${ofPool}})`,
        { warning: 1 },
      ),
    ],
    Backends: [
      table(
        {
          title: 'Backends',
          description: 'What is the state of each backend, as each process of sluice sees it?',
          width: 24,
        },
        { instance: 'Process', pool: 'Pool', backend: 'Backend' },
        [
          {
            title: 'Health',
            words: health,
            expr: `max by (instance, pool, backend) (sluice_backend_up{${ofPool}})`,
          },
          { title: 'Breaker', words: breaker, expr: breakerState },
          {
            title: 'Connections',
            expr: `sum by (instance, pool, backend) (sluice_backend_connections_active{${ofPool}})`,
          },
          {
            title: 'New connections',
            unit: 'cps',
            expr: perSecond(`sluice_backend_connections_total{${ofPool}}`, 'instance, pool, backend'),
          },
          {
            title: 'Failed dials',
            unit: 'cps',
            expr: perSecond(`sluice_backend_connect_failures_total{${ofPool}}`, 'instance, pool, backend'),
          },
        ],
      ),
      states(
        {
          title: 'Health',
          description: 'When was a backend down by its checks? Short bars are a backend that flaps.',
          width: 12,
        },
        { '{{instance}} {{pool}} {{backend}}': `sluice_backend_up{${ofPool}}` },
        health,
      ),
      states(
        {
          title: 'Breaker',
          description:
            'When did connecting to a backend fail so often that it got no sessions? One that opens while health ' +
            'is up fails clients in a way that the check does not see.',
          width: 12,
        },
        { '{{instance}} {{pool}} {{backend}}': breakerState },
        breaker,
      ),
    ],
    Load: [
      graph(
        {
          title: 'Connections by backend',
          description: 'Which backends carry the sessions?',
          unit: 'short',
          width: 8,
        },
        {
          '{{pool}} {{backend}}': `sum by (pool, backend) (sluice_backend_connections_active{${ofPool}})`,
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'New connections by backend',
          description: 'Which backends get new sessions, and which none?',
          unit: 'cps',
          width: 8,
        },
        {
          '{{pool}} {{backend}}': perSecond(`sluice_backend_connections_total{${ofPool}}`, 'pool, backend'),
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
          width: 8,
        },
        {
          '{{pool}}': `max by (pool) (sum by (pool, backend) (sluice_backend_connections_active{${ofPool}}))
  / avg by (pool) (sum by (pool, backend) (sluice_backend_connections_active{${ofPool}}))`,
        },
      ),
    ],
    Connecting: [
      graph(
        {
          title: 'Duration of dials',
          description:
            'How long does connecting take? Steps of a second are lost packets or a full accept queue.',
          unit: 's',
          width: 8,
        },
        {
          '{{pool}} half': dialQuantile(0.5),
          '{{pool}} slowest tenth': dialQuantile(0.9),
          '{{pool}} slowest hundredth': dialQuantile(0.99),
        },
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
          title: 'Failed health checks by backend',
          description: 'Which backend fails checks, also where it does not do so often enough to be down?',
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
    ],
    Queue: [
      graph(
        {
          title: 'Clients in the queue',
          description: 'How many clients wait for a free place at a backend?',
          unit: 'short',
          width: 24,
        },
        { '{{pool}}': `sum by (pool) (sluice_pool_queue_length{${ofPool}})` },
      ),
    ],
  },
};
