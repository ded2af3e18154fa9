import { here } from '../dashboard.ts';

/** Behind metrics that every process has: only those of sluice, where Prometheus asks others too. */
export const ours = `and on (job, instance) sluice_build_info{${here}}`;
