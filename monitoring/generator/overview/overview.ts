/** Is all well, and if not, where do I look? */
import type { Plan } from '../dashboard.ts';
import { certificates } from './certificates.ts';
import { ends } from './ends.ts';
import { limits } from './limits.ts';
import { now } from './now.ts';
import { pools } from './pools.ts';
import { traffic } from './traffic.ts';

export const overview: Plan = {
  uid: 'sluice-overview',
  title: 'sluice / Overview',
  description: 'Whether all processes of sluice serve their clients, and where to look if they do not.',
  ofPools: false,
  rows: [now, traffic, ends, limits, pools, certificates],
};
