/** All dashboards. A new one is a file beside this and its line here. */
import { dashboard } from './dashboard.ts';
import { overview } from './overview.ts';
import { pool } from './pool.ts';
import { processes } from './process.ts';

export const dashboards = [overview, pool, processes].map(dashboard);
