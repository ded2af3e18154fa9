/** All dashboards. A new one is a folder beside this, with a file for each row, and its line here. */
import { dashboard } from './dashboard.ts';
import { overview } from './overview/overview.ts';
import { pool } from './pool/pool.ts';
import { processes } from './process/process.ts';

export const dashboards = [overview, pool, processes].map(dashboard);
