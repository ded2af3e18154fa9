import { labelsOf } from '../labels.ts';
import { type Family, single } from './family.ts';

export const processFamilies: readonly Family[] = [
  {
    name: 'sluice_build_info',
    help: 'Always 1; the labels say what runs',
    type: 'gauge',
    read: ({ build: { version, node, driver } }, sample) => sample(labelsOf({ version, node, driver }), 1),
  },
  {
    name: 'sluice_draining',
    help: '1 while the proxy finishes its sessions in order to stop',
    type: 'gauge',
    read: single(({ snapshot: { phase } }) => (phase === 'draining' ? 1 : 0)),
  },
  {
    name: 'sluice_descriptors_open',
    help: 'Descriptors that the process has open',
    type: 'gauge',
    read: single(({ descriptors }) => descriptors?.open),
  },
  {
    name: 'sluice_descriptors_limit',
    help: 'As many descriptors as the process may have open',
    type: 'gauge',
    read: single(({ descriptors }) => descriptors?.limit),
  },
  {
    name: 'sluice_buffer_memory_bytes',
    help: 'What the buffers of all workers hold: bytes that wait for a side that does not read, or are on their way',
    type: 'gauge',
    read: single(({ snapshot: { buffers } }) => buffers.bytes),
  },
  {
    name: 'sluice_buffer_memory_limit_bytes',
    help: 'As much as the buffers of all workers may hold',
    type: 'gauge',
    read: single(({ snapshot: { buffers } }) => buffers.limit),
  },
  {
    name: 'sluice_log_lines_left_out_total',
    help: 'Log lines that were not written: refusals beyond ten a second, and what nobody read in time',
    type: 'counter',
    read: single(({ logLinesLeftOut }) => logLinesLeftOut),
  },
  {
    name: 'sluice_worker_restarts_total',
    help: 'Workers that died and were replaced',
    type: 'counter',
    read: single(({ observations }) => observations.workerRestarts),
  },
  {
    name: 'sluice_event_loop_lag_seconds',
    help: 'How late threads get to their work: the main thread at most since the last scrape, workers at that scrape',
    type: 'gauge',
    read: ({ mainLagMs, snapshot: { workers } }, sample) => {
      sample('thread="main"', mainLagMs / 1_000);
      for (const { number, lagMs } of workers) sample(`thread="worker-${number}"`, lagMs / 1_000);
    },
  },
];
