import { adminStates, layers } from '../../core/admin-state.ts';
import { circuitWords } from '../../core/ledger/ledger.ts';
import { dialFailures, servedReasons } from '../../core/reasons.ts';
import type { BackendSnapshot, Snapshot } from '../snapshot.ts';
import { directions, type Family, ofEach, ofEachBy } from './family.ts';

const backends = ({ pools }: Snapshot): readonly BackendSnapshot[] => pools.flatMap((pool) => pool.backends);

export const backendFamilies: readonly Family[] = [
  {
    name: 'sluice_backend_connections_total',
    help: 'Connections made to the backend',
    type: 'counter',
    read: ofEach(backends, ({ totals }) => totals.connections),
  },
  {
    name: 'sluice_backend_connections_active',
    help: 'Sessions that hold a place at the backend, those that are being connected included',
    type: 'gauge',
    read: ofEach(backends, ({ active }) => active),
  },
  {
    name: 'sluice_backend_connections_limit',
    help: 'As many sessions as the backend may have; +Inf without a limit',
    type: 'gauge',
    read: ofEach(backends, ({ limit }) => limit),
  },
  {
    name: 'sluice_backend_weight',
    help: 'The share of new sessions that it is given, beside those of the others: less than configured in a slow start',
    type: 'gauge',
    read: ofEach(backends, ({ effectiveWeight }) => effectiveWeight),
  },
  {
    name: 'sluice_backend_state',
    help: 'What each layer wants of the backend: 0 ready, 1 drain, 2 maint; the highest counts',
    type: 'gauge',
    read: ofEachBy(backends, 'layer', layers, (backend, layer) =>
      adminStates.indexOf(backend.layers?.[layer] ?? 'ready'),
    ),
  },
  {
    name: 'sluice_backend_sessions_closed_total',
    help: 'Sessions closed that the backend has served, by the reason of their end',
    type: 'counter',
    read: ofEachBy(backends, 'reason', servedReasons, ({ totals }, reason) => totals.closed(reason)),
  },
  {
    name: 'sluice_backend_bytes_total',
    help: 'Payload bytes delivered',
    type: 'counter',
    read: ofEachBy(backends, 'direction', directions, ({ totals }, direction) =>
      direction === 'to_backend' ? totals.bytesToBackend : totals.bytesToClient,
    ),
  },
  {
    name: 'sluice_backend_first_byte_seconds',
    help: 'How long the backend took to send its first byte, once it was connected',
    type: 'summary',
    read: ({ snapshot: { pools } }, sample) => {
      for (const { backends } of pools) {
        for (const { labels, totals } of backends) {
          sample(labels, totals.firstByteMs / 1_000, '_sum');
          sample(labels, totals.firstBytes, '_count');
        }
      }
    },
  },
  {
    name: 'sluice_backend_connect_failures_total',
    help: 'Attempts to connect that failed',
    type: 'counter',
    read: ofEachBy(backends, 'reason', dialFailures, ({ totals }, reason) => totals.dialFailures(reason)),
  },
  {
    name: 'sluice_backend_up',
    help: '0 while health checks say that the backend is down, else 1: also before the first check, and without checks',
    type: 'gauge',
    read: ofEach(backends, ({ health }) => (health === 'down' ? 0 : 1)),
  },
  {
    name: 'sluice_backend_health_checks_total',
    help: 'Health checks made',
    type: 'counter',
    read: ({ observations, snapshot: { pools } }, sample) => {
      for (const { name: pool, backends } of pools) {
        for (const { name: backend, labels } of backends) {
          const { pass, fail } = observations.backend(pool, backend).checks;
          sample(`${labels},result="pass"`, pass);
          sample(`${labels},result="fail"`, fail);
        }
      }
    },
  },
  {
    name: 'sluice_backend_circuit_state',
    help: '1 for the state that the circuit breaker is in; open may be over until the next session asks',
    type: 'gauge',
    read: ofEachBy(backends, 'state', circuitWords, ({ circuit }, state) => (state === circuit ? 1 : 0)),
  },
  {
    name: 'sluice_backend_circuit_opened_total',
    help: 'How often the circuit breaker opened',
    type: 'counter',
    read: ofEach(backends, ({ totals }) => totals.circuitOpened),
  },
];
