/** THE TABLE of what the admin API answers. */
import { explain } from './explain.ts';
import { livez } from './livez.ts';
import { metrics } from './metrics.ts';
import { readyz } from './readyz.ts';
import { reload } from './reload.ts';
import type { Route } from './route.ts';
import { status } from './status.ts';

export const routes: readonly Route[] = [livez, readyz, metrics, status, reload, explain];
