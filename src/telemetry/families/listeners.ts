import { accepts } from '../../core/admin-state.ts';
import type { ListenerSnapshot } from '../snapshot.ts';
import { type Family, sampleDurations } from './family.ts';

export const listenerFamilies: readonly Family[] = [
  {
    name: 'sluice_listener_connections_total',
    help: 'Connections accepted; equals the active ones plus all sessions closed',
    type: 'counter',
    read: ofEach(({ accepted }) => accepted),
  },
  {
    name: 'sluice_listener_connections_active',
    help: 'Connections accepted and not closed yet',
    type: 'gauge',
    read: ofEach(({ active }) => active),
  },
  {
    name: 'sluice_listener_connections_limit',
    help: 'As many connections as the listener may have; +Inf without a limit',
    type: 'gauge',
    read: ofEach(({ limit }) => limit),
  },
  {
    name: 'sluice_listener_accept_state',
    help: '1 for what operators want of the listener: that it accepts clients, has them wait, or refuses them',
    type: 'gauge',
    read: ({ snapshot: { listeners } }, sample) => {
      for (const { labels, accept } of listeners)
        for (const state of accepts) sample(`${labels},state="${state}"`, state === accept ? 1 : 0);
    },
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
    read: ({ snapshot: { listeners } }, sample) => {
      for (const { labels, sessionDuration } of listeners) sampleDurations(labels, sessionDuration(), sample);
    },
  },
  {
    name: 'sluice_bytes_total',
    help: 'Payload bytes delivered',
    type: 'counter',
    read: ({ snapshot: { listeners } }, sample) => {
      for (const { labels, bytesToBackend, bytesToClient } of listeners) {
        sample(`${labels},direction="to_backend"`, bytesToBackend);
        sample(`${labels},direction="to_client"`, bytesToClient);
      }
    },
  },
];

function ofEach(value: (listener: ListenerSnapshot) => number): Family['read'] {
  return ({ snapshot: { listeners } }, sample) => {
    for (const listener of listeners) sample(listener.labels, value(listener));
  };
}
