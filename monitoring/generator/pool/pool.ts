/** Which backend is the culprit? */
import type { Plan } from '../dashboard.ts';
import { answering } from './answering.ts';
import { backends } from './backends.ts';
import { connecting } from './connecting.ts';
import { load } from './load.ts';
import { names } from './names.ts';
import { now } from './now.ts';
import { queue } from './queue.ts';

export const pool: Plan = {
  uid: 'sluice-pool',
  title: 'sluice / Pool',
  description: 'The backends of a pool: which one is down, slow, full or fails.',
  ofPools: true,
  rows: [now, backends, load, connecting, answering, queue, names],
};
