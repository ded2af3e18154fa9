import { here, type Plan } from './dashboard.ts';
import { lostReasons } from './lost-reasons.ts';
import { figure, graph, table } from './panel.ts';
import { perSecond, quantile } from './promql.ts';

const lost = `reason=~"${lostReasons}"`;
const turnedAway =
  'reason=~"denied|listener-full|client-full|rate-limited|no-route|bad-proxy-header|inspect-timeout|tls-failed"';

/** Is all well, and if not, where do I look? */
export const overview: Plan = {
  uid: 'sluice-overview',
  title: 'sluice / Overview',
  description: 'Whether all processes of sluice serve their clients, and where to look if they do not.',
  ofPools: false,
  rows: {
    Now: [
      figure(
        {
          title: 'Processes',
          description: 'How many processes of sluice answer? A process that drains still does.',
          unit: 'short',
          width: 4,
        },
        `count(sluice_build_info{${here}})`,
      ),
      figure(
        {
          title: 'Open connections',
          description: 'How many clients are connected?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_listener_connections_active{${here}})`,
      ),
      figure(
        {
          title: 'New connections',
          description: 'How many clients come in a second?',
          unit: 'cps',
          width: 4,
        },
        perSecond(`sluice_listener_connections_total{${here}}`),
      ),
      figure(
        {
          title: 'Clients lost',
          description:
            'What share of the sessions that end does so in a way that the client did not want, and that no limit ' +
            'on clients meant? The alert SluiceClientsLost fires from 5 % on.',
          unit: 'percentunit',
          width: 4,
        },
        `${perSecond(`sluice_sessions_closed_total{${here}, ${lost}}`)}
  / ${perSecond(`sluice_sessions_closed_total{${here}}`)}`,
        { warning: 0.01, critical: 0.05 },
      ),
      figure(
        {
          title: 'Backends down',
          description: 'How many backends fail their health checks? Each process counts its own view.',
          unit: 'short',
          width: 4,
        },
        `sum(1 - sluice_backend_up{${here}})`,
        { warning: 1 },
      ),
      figure(
        {
          title: 'Breakers not closed',
          description:
            'How many backends get no sessions, since connecting to them failed too often in a row?',
          unit: 'short',
          width: 4,
        },
        `sum(sluice_backend_circuit_state{${here}, state=~"open|half-open"})`,
        { warning: 1 },
      ),
    ],
    Traffic: [
      graph(
        {
          title: 'Open connections by listener',
          description:
            'Who uses sluice, and does it grow? Connections that only grow are not closed by anybody.',
          unit: 'short',
          width: 8,
        },
        { '{{listener}}': `sum by (listener) (sluice_listener_connections_active{${here}})` },
        { stacked: true },
      ),
      graph(
        {
          title: 'New connections by listener',
          description: 'How fast do clients come? A sudden rise is a retrying client, or an attack.',
          unit: 'cps',
          width: 8,
        },
        {
          '{{listener}}': perSecond(`sluice_listener_connections_total{${here}}`, 'listener'),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Bytes delivered',
          description: 'How much is carried, and in which direction?',
          unit: 'Bps',
          width: 8,
        },
        {
          '{{listener}} {{direction}}': perSecond(`sluice_bytes_total{${here}}`, 'listener, direction'),
        },
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
        {
          '{{listener}}': quantile(0.9, `sluice_session_duration_seconds{${here}}`, 'listener'),
        },
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
        { '{{pool}}': `sum by (pool) (sluice_backend_connections_active{${here}})` },
        { stacked: true },
      ),
    ],
    'How sessions end': [
      graph(
        {
          title: 'Ends by reason, but for `finished`',
          description: 'What goes wrong, and since when? docs/operating.md says what each reason means.',
          unit: 'cps',
          width: 8,
        },
        {
          '{{reason}}': perSecond(`sluice_sessions_closed_total{${here}, reason!="finished"}`, 'reason'),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Clients lost, by listener and reason',
          description: 'Which listener loses clients, and why?',
          unit: 'cps',
          width: 8,
        },
        {
          '{{listener}} {{reason}}': perSecond(
            `sluice_sessions_closed_total{${here}, ${lost}}`,
            'listener, reason',
          ),
        },
        { stacked: true },
      ),
      graph(
        {
          title: 'Clients turned away, by listener and reason',
          description:
            'Whom do access lists, limits, routes and handshakes keep out before a backend is asked?',
          unit: 'cps',
          width: 8,
        },
        {
          '{{listener}} {{reason}}': perSecond(
            `sluice_sessions_closed_total{${here}, ${turnedAway}}`,
            'listener, reason',
          ),
        },
        { stacked: true },
      ),
    ],
    Pools: [
      table(
        {
          title: 'Pools',
          description:
            'Which pool is in trouble? One without a backend that is up refuses its clients, or lets them queue.',
          width: 16,
        },
        { instance: 'Process', pool: 'Pool' },
        [
          { title: 'Backends', expr: `count by (instance, pool) (sluice_backend_up{${here}})` },
          { title: 'Up', expr: `sum by (instance, pool) (sluice_backend_up{${here}})` },
          {
            title: 'Breakers not closed',
            expr: `sum by (instance, pool) (sluice_backend_circuit_state{${here}, state=~"open|half-open"})`,
          },
          {
            title: 'Connections',
            expr: `sum by (instance, pool) (sluice_backend_connections_active{${here}})`,
          },
          { title: 'In the queue', expr: `sum by (instance, pool) (sluice_pool_queue_length{${here}})` },
          {
            title: 'Failed dials',
            unit: 'cps',
            expr: perSecond(`sluice_backend_connect_failures_total{${here}}`, 'instance, pool'),
          },
        ],
      ),
      graph(
        {
          title: 'Queues by pool',
          description: 'Where do clients wait for a free place at a backend?',
          unit: 'short',
          width: 8,
        },
        { '{{pool}}': `sum by (pool) (sluice_pool_queue_length{${here}})` },
        { stacked: true },
      ),
    ],
  },
};
