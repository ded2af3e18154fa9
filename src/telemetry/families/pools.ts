import type { PoolSnapshot, Snapshot } from '../snapshot.ts';
import { durationsOf, type Family, ofEach } from './family.ts';

const pools = (snapshot: Snapshot): readonly PoolSnapshot[] => snapshot.pools;

export const poolFamilies: readonly Family[] = [
  {
    name: 'sluice_pool_connections_active',
    help: 'Sessions that hold a place in the pool, those that are being connected included',
    type: 'gauge',
    read: ofEach(pools, ({ active }) => active),
  },
  {
    name: 'sluice_pool_connections_limit',
    help: 'As many sessions as the pool may have; +Inf without a limit',
    type: 'gauge',
    read: ofEach(pools, ({ limit }) => limit),
  },
  {
    name: 'sluice_pool_queue_length',
    help: 'Sessions that wait for a free backend',
    type: 'gauge',
    read: ofEach(pools, ({ queued }) => queued),
  },
  {
    name: 'sluice_pool_queue_limit',
    help: 'As many sessions as may wait; 0 where there is no queue',
    type: 'gauge',
    read: ofEach(pools, ({ queueLimit }) => queueLimit),
  },
  {
    name: 'sluice_pool_queue_longest_wait_seconds',
    help: 'For how long the session has waited that is first in the queue; 0 where none waits',
    type: 'gauge',
    read: ofEach(pools, ({ longestWaitMs }) => longestWaitMs / 1_000),
  },
  {
    name: 'sluice_pool_held',
    help: '1 while an operator holds the pool, so that its clients wait, else 0',
    type: 'gauge',
    read: ofEach(pools, ({ hold }) => (hold?.phase === 'held' ? 1 : 0)),
  },
  {
    name: 'sluice_pool_queue_wait_seconds',
    help: 'How long sessions waited in the queue that have left it, in whatever way',
    type: 'histogram',
    read: durationsOf(pools, (pool) => pool.queueWait()),
  },
  {
    name: 'sluice_backend_connect_duration_seconds',
    help: 'How long connecting to a backend took, where it succeeded',
    type: 'histogram',
    read: durationsOf(pools, (pool) => pool.connectDuration()),
  },
  {
    name: 'sluice_dial_retries_total',
    help: 'Attempts to connect after the first of a session',
    type: 'counter',
    read: ofEach(pools, ({ dialRetries }) => dialRetries),
  },
  {
    name: 'sluice_pool_first_byte_seconds',
    help: 'How long backends took to send their first byte, once they were connected',
    type: 'histogram',
    read: durationsOf(pools, (pool) => pool.firstByte()),
  },
  {
    name: 'sluice_backend_health_check_duration_seconds',
    help: 'How long health checks took, whatever they found',
    type: 'histogram',
    read: durationsOf(pools, (pool) => pool.checkDuration()),
  },
  {
    name: 'sluice_backend_session_duration_seconds',
    help: 'How long backends served sessions, from connected to the close of both sides',
    type: 'histogram',
    read: durationsOf(pools, (pool) => pool.servedDuration()),
  },
];
