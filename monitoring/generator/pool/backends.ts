import { ofPool, type Row } from '../dashboard.ts';
import { type StateWord, states, table } from '../panel.ts';
import { perSecond } from '../promql.ts';

const health: readonly StateWord[] = [
  ['down', 'red'],
  ['up', 'green'],
];
const breaker: readonly StateWord[] = [
  ['closed', 'green'],
  ['half-open', 'orange'],
  ['open', 'red'],
];

const state: readonly StateWord[] = [
  ['ready', 'green'],
  ['drain', 'orange'],
  ['maint', 'blue'],
];

/** What the strictest layer wants. */
const wantedState = `max by (instance, pool, backend) (sluice_backend_state{${ofPool}})`;

/** The place of the breaker's state in `breaker`. */
const breakerState = `sum by (instance, pool, backend) (
  sluice_backend_circuit_state{${ofPool}, state="half-open"} or 2 * sluice_backend_circuit_state{${ofPool}, state="open"}
)`;

export const backends: Row = {
  title: 'Backends',
  panels: [
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
        { title: 'State', words: state, expr: wantedState },
        { title: 'Weight', expr: `max by (instance, pool, backend) (sluice_backend_weight{${ofPool}})` },
        {
          title: 'Connections',
          expr: `sum by (instance, pool, backend) (sluice_backend_connections_active{${ofPool}})`,
        },
        {
          title: 'Of its limit',
          unit: 'percentunit',
          expr: `sum by (instance, pool, backend) (sluice_backend_connections_active{${ofPool}} / sluice_backend_connections_limit{${ofPool}})`,
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
        width: 8,
      },
      { '{{instance}} {{pool}} {{backend}}': `sluice_backend_up{${ofPool}}` },
      health,
    ),
    states(
      {
        title: 'Breaker',
        description:
          'When did connecting to a backend fail so often that it got no sessions? One that opens while health is ' +
          'up fails clients in a way that the check does not see.',
        width: 8,
      },
      { '{{instance}} {{pool}} {{backend}}': breakerState },
      breaker,
    ),
    states(
      {
        title: 'State',
        description:
          'When was a backend drained or in maintenance, as the configuration, an operator or its source wants it?',
        width: 8,
      },
      { '{{instance}} {{pool}} {{backend}}': wantedState },
      state,
    ),
  ],
};
