/** Does the process itself have what it needs? */
import type { Plan } from '../dashboard.ts';
import { now } from './now.ts';
import { resources } from './resources.ts';
import { runs } from './runs.ts';

export const processes: Plan = {
  uid: 'sluice-process',
  title: 'sluice / Process',
  description: 'The processes of sluice themselves: version, configuration, CPU, memory, descriptors.',
  ofPools: false,
  rows: [now, runs, resources],
};
