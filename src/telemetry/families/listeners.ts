import { accepts } from '../../core/admin-state.ts';
import type { ListenerSnapshot, Snapshot } from '../snapshot.ts';
import { directions, durationsOf, type Family, ofEach, ofEachBy } from './family.ts';

const listeners = (snapshot: Snapshot): readonly ListenerSnapshot[] => snapshot.listeners;

export const listenerFamilies: readonly Family[] = [
  {
    name: 'sluice_listener_connections_total',
    help: 'Connections accepted; equals the active ones plus all sessions closed',
    type: 'counter',
    read: ofEach(listeners, ({ accepted }) => accepted),
  },
  {
    name: 'sluice_listener_connections_active',
    help: 'Connections accepted and not closed yet',
    type: 'gauge',
    read: ofEach(listeners, ({ active }) => active),
  },
  {
    name: 'sluice_listener_connections_limit',
    help: 'As many connections as the listener may have; +Inf without a limit',
    type: 'gauge',
    read: ofEach(listeners, ({ limit }) => limit),
  },
  {
    name: 'sluice_listener_accept_state',
    help: '1 for what operators want of the listener: that it accepts clients, has them wait, or refuses them',
    type: 'gauge',
    read: ofEachBy(listeners, 'state', accepts, ({ accept }, state) => (state === accept ? 1 : 0)),
  },
  {
    name: 'sluice_sessions_closed_total',
    help: 'Sessions closed, refused ones included, by the reason of their end',
    type: 'counter',
    read: ({ snapshot: { listeners } }, sample) => {
      for (const { labels, closed } of listeners)
        for (const [reason, count] of closed) sample(`${labels},reason="${reason}"`, count);
    },
  },
  {
    name: 'sluice_session_duration_seconds',
    help: 'How long sessions lasted, from accept to the close of both sides',
    type: 'histogram',
    read: durationsOf(listeners, (listener) => listener.sessionDuration()),
  },
  {
    name: 'sluice_bytes_total',
    help: 'Payload bytes delivered',
    type: 'counter',
    read: ofEachBy(listeners, 'direction', directions, (listener, direction) =>
      direction === 'to_backend' ? listener.bytesToBackend : listener.bytesToClient,
    ),
  },
];
