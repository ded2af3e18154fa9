import { type Family, histogramSamples } from './family.ts';

const duration = 'sluice_session_duration_seconds';

export const listenerFamilies: readonly Family[] = [
  {
    name: 'sluice_listener_connections_total',
    help: 'Connections accepted; equals the active ones plus all sessions closed',
    type: 'counter',
    samples: ({ listeners }) =>
      listeners.map(({ listener, counts }) => ({ labels: { listener }, value: counts.accepted })),
  },
  {
    name: 'sluice_listener_connections_active',
    help: 'Connections accepted and not closed yet',
    type: 'gauge',
    samples: ({ listeners }) =>
      listeners.map(({ listener, counts }) => ({ labels: { listener }, value: counts.active })),
  },
  {
    name: 'sluice_sessions_closed_total',
    help: 'Sessions closed, refused ones included, by the reason of their end',
    type: 'counter',
    samples: ({ listeners }) =>
      listeners.flatMap(({ listener, counts }) =>
        Array.from(counts.closed, ([reason, value]) => ({ labels: { listener, reason }, value })),
      ),
  },
  {
    name: duration,
    help: 'How long sessions lasted, from accept to the close of both sides',
    type: 'histogram',
    samples: ({ source: { ledger }, listeners }) =>
      listeners.flatMap(({ listener, slot }) => {
        const { sessionDuration } = ledger;
        return histogramSamples(duration, { listener }, sessionDuration.edgesMs, sessionDuration.read(slot));
      }),
  },
  {
    name: 'sluice_bytes_total',
    help: 'Payload bytes delivered',
    type: 'counter',
    samples: ({ listeners }) =>
      listeners.flatMap(({ listener, counts: { bytesToBackend, bytesToClient } }) => [
        { labels: { listener, direction: 'to_backend' }, value: bytesToBackend },
        { labels: { listener, direction: 'to_client' }, value: bytesToClient },
      ]),
  },
];
