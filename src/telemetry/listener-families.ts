import { type Family, histogramSamples } from './family.ts';

const duration = 'sluice_session_duration_seconds';

export const listenerFamilies: readonly Family[] = [
  {
    name: 'sluice_listener_connections_total',
    help: 'Connections accepted; equals the active ones plus all sessions closed',
    type: 'counter',
    samples: ({ snapshot: { listeners } }) =>
      listeners.map(({ name, accepted }) => ({ labels: { listener: name }, value: accepted })),
  },
  {
    name: 'sluice_listener_connections_active',
    help: 'Connections accepted and not closed yet',
    type: 'gauge',
    samples: ({ snapshot: { listeners } }) =>
      listeners.map(({ name, active }) => ({ labels: { listener: name }, value: active })),
  },
  {
    name: 'sluice_sessions_closed_total',
    help: 'Sessions closed, refused ones included, by the reason of their end',
    type: 'counter',
    samples: ({ snapshot: { listeners } }) =>
      listeners.flatMap(({ name: listener, closed }) =>
        Array.from(closed, ([reason, value]) => ({ labels: { listener, reason }, value })),
      ),
  },
  {
    name: duration,
    help: 'How long sessions lasted, from accept to the close of both sides',
    type: 'histogram',
    samples: ({ snapshot: { listeners } }) =>
      listeners.flatMap(({ name, sessionDuration }) =>
        histogramSamples(duration, { listener: name }, sessionDuration()),
      ),
  },
  {
    name: 'sluice_bytes_total',
    help: 'Payload bytes delivered',
    type: 'counter',
    samples: ({ snapshot: { listeners } }) =>
      listeners.flatMap(({ name: listener, bytesToBackend, bytesToClient }) => [
        { labels: { listener, direction: 'to_backend' }, value: bytesToBackend },
        { labels: { listener, direction: 'to_client' }, value: bytesToClient },
      ]),
  },
];
