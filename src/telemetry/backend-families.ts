import { circuitWords } from '../core/ledger/ledger.ts';
import { dialFailures } from '../core/reasons.ts';
import { type Family, histogramSamples, type Sample } from './family.ts';
import type { BackendSnapshot } from './snapshot.ts';

const connectDuration = 'sluice_backend_connect_duration_seconds';

export const backendFamilies: readonly Family[] = [
  {
    name: 'sluice_backend_connections_total',
    help: 'Connections made to the backend',
    type: 'counter',
    samples: ofEach(({ connections }) => connections),
  },
  {
    name: 'sluice_backend_connections_active',
    help: 'Sessions that hold a place at the backend, those that are being connected included',
    type: 'gauge',
    samples: ofEach(({ active }) => active),
  },
  {
    name: connectDuration,
    help: 'How long connecting to a backend took, where it succeeded',
    type: 'histogram',
    samples: ({ snapshot: { pools } }) =>
      pools.flatMap((pool) => histogramSamples(connectDuration, { pool: pool.name }, pool.connectDuration())),
  },
  {
    name: 'sluice_backend_connect_failures_total',
    help: 'Attempts to connect that failed',
    type: 'counter',
    samples: ofEachBy('reason', dialFailures, (backend, reason) => backend.dialFailures(reason)),
  },
  {
    name: 'sluice_backend_up',
    help: '0 while health checks say that the backend is down, else 1: also before the first check, and without checks',
    type: 'gauge',
    samples: ofEach(({ health }) => (health === 'down' ? 0 : 1)),
  },
  {
    name: 'sluice_backend_health_checks_total',
    help: 'Health checks made',
    type: 'counter',
    samples: ({ control, snapshot: { pools } }) =>
      pools.flatMap(({ name: pool, backends }) =>
        backends.flatMap(({ name: backend }) => {
          const { pass, fail } = control.healthChecks(pool, backend);
          return [
            { labels: { pool, backend, result: 'pass' }, value: pass },
            { labels: { pool, backend, result: 'fail' }, value: fail },
          ];
        }),
      ),
  },
  {
    name: 'sluice_backend_circuit_state',
    help: '1 for the state that the circuit breaker is in; open may be over until the next session asks',
    type: 'gauge',
    samples: ofEachBy('state', circuitWords, ({ circuit }, state) => (state === circuit ? 1 : 0)),
  },
  {
    name: 'sluice_backend_circuit_opened_total',
    help: 'How often the circuit breaker opened',
    type: 'counter',
    samples: ofEach(({ circuitOpened }) => circuitOpened),
  },
  {
    name: 'sluice_pool_queue_length',
    help: 'Sessions that wait for a free backend',
    type: 'gauge',
    samples: ({ snapshot: { pools } }) =>
      pools.map(({ name, queued }) => ({ labels: { pool: name }, value: queued })),
  },
];

/** One sample of each backend. */
function ofEach(value: (backend: BackendSnapshot) => number): Family['samples'] {
  return ({ snapshot: { pools } }) =>
    pools.flatMap((pool) =>
      pool.backends.map((backend) => ({
        labels: { pool: pool.name, backend: backend.name },
        value: value(backend),
      })),
    );
}

/** For each backend, one sample a value of a further label. */
function ofEachBy<V extends string>(
  label: string,
  values: readonly V[],
  read: (backend: BackendSnapshot, value: V) => number,
): Family['samples'] {
  return ({ snapshot: { pools } }) =>
    pools.flatMap((pool) =>
      pool.backends.flatMap((backend) =>
        values.map(
          (value): Sample => ({
            labels: { pool: pool.name, backend: backend.name, [label]: value },
            value: read(backend, value),
          }),
        ),
      ),
    );
}
