import { circuitWords } from '../core/ledger/ledger.ts';
import { dialFailures } from '../core/reasons.ts';
import { type Family, histogramSamples } from './family.ts';

const connectDuration = 'sluice_backend_connect_duration_seconds';

export const backendFamilies: readonly Family[] = [
  {
    name: 'sluice_backend_connections_total',
    help: 'Connections made to the backend',
    type: 'counter',
    samples: ({ source: { ledger }, backends }) =>
      backends.map(({ pool, backend, slot }) => ({
        labels: { pool, backend },
        value: ledger.backendTotals(slot).connections,
      })),
  },
  {
    name: 'sluice_backend_connections_active',
    help: 'Sessions that hold a place at the backend, those that are being connected included',
    type: 'gauge',
    samples: ({ source: { ledger }, backends }) =>
      backends.map(({ pool, backend, slot }) => ({
        labels: { pool, backend },
        value: ledger.backendActive.total(slot),
      })),
  },
  {
    name: connectDuration,
    help: 'How long connecting to a backend took, where it succeeded',
    type: 'histogram',
    samples: ({ source: { plan, ledger } }) =>
      plan.pools.flatMap(({ name: pool, slot }) => {
        const durations = ledger.connectDuration;
        return histogramSamples(connectDuration, { pool }, durations.edgesMs, durations.read(slot));
      }),
  },
  {
    name: 'sluice_backend_connect_failures_total',
    help: 'Attempts to connect that failed',
    type: 'counter',
    samples: ({ source: { ledger }, backends }) =>
      backends.flatMap(({ pool, backend, slot }) => {
        const totals = ledger.backendTotals(slot);
        return dialFailures.map((reason) => ({
          labels: { pool, backend, reason },
          value: totals.dialFailures(reason),
        }));
      }),
  },
  {
    name: 'sluice_backend_up',
    help: '0 while health checks say that the backend is down, else 1: also before the first check, and without checks',
    type: 'gauge',
    samples: ({ source: { ledger }, backends }) =>
      backends.map(({ pool, backend, slot }) => ({
        labels: { pool, backend },
        value: ledger.healthOf(slot) === 'down' ? 0 : 1,
      })),
  },
  {
    name: 'sluice_backend_health_checks_total',
    help: 'Health checks made',
    type: 'counter',
    samples: ({ control, backends }) =>
      backends.flatMap(({ pool, backend }) => {
        const { pass, fail } = control.healthChecks(pool, backend);
        return [
          { labels: { pool, backend, result: 'pass' }, value: pass },
          { labels: { pool, backend, result: 'fail' }, value: fail },
        ];
      }),
  },
  {
    name: 'sluice_backend_circuit_state',
    help: '1 for the state that the circuit breaker is in; open may be over until the next session asks',
    type: 'gauge',
    samples: ({ source: { ledger }, backends }) =>
      backends.flatMap(({ pool, backend, slot }) => {
        const current = ledger.circuitOf(slot);
        return circuitWords.map((state) => ({
          labels: { pool, backend, state },
          value: state === current ? 1 : 0,
        }));
      }),
  },
  {
    name: 'sluice_backend_circuit_opened_total',
    help: 'How often the circuit breaker opened',
    type: 'counter',
    samples: ({ source: { ledger }, backends }) =>
      backends.map(({ pool, backend, slot }) => ({
        labels: { pool, backend },
        value: ledger.backendTotals(slot).circuitOpened,
      })),
  },
  {
    name: 'sluice_pool_queue_length',
    help: 'Sessions that wait for a free backend',
    type: 'gauge',
    samples: ({ source: { plan, ledger } }) =>
      plan.pools.map(({ name, slot }) => ({ labels: { pool: name }, value: ledger.poolQueued.total(slot) })),
  },
];
