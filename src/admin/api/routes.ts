/** THE TABLE of what the admin API answers, and how a request finds its route. */
import { backend, patchBackend } from './backend.ts';
import { circuit } from './circuit.ts';
import { clients } from './clients.ts';
import { configuration } from './configuration.ts';
import { dashboard, dashboardFile } from './dashboard.ts';
import { events } from './events.ts';
import { explain } from './explain.ts';
import { history } from './history.ts';
import { listener, patchListener } from './listener.ts';
import { livez } from './livez.ts';
import { metrics } from './metrics.ts';
import { overrides, resetAll, resetBackend } from './overrides.ts';
import { patchPool, pool } from './pool.ts';
import { readyz } from './readyz.ts';
import { reload } from './reload.ts';
import type { ApiRequest, Route } from './route.ts';
import { closeSessions, endSession, sessions } from './sessions.ts';
import { status } from './status.ts';
import { wait } from './wait.ts';
import { whoami } from './whoami.ts';

export const routes: readonly Route[] = [
  livez,
  readyz,
  metrics,
  status,
  history,
  configuration,
  whoami,
  clients,
  reload,
  explain,
  backend,
  patchBackend,
  circuit,
  pool,
  patchPool,
  listener,
  patchListener,
  overrides,
  resetAll,
  resetBackend,
  sessions,
  endSession,
  closeSessions,
  wait,
  events,
  dashboard,
  dashboardFile,
];

export interface FoundRoute {
  readonly route: Route;
  readonly params: ApiRequest['params'];
}

/** The routes of a path, one for each method; none where nothing is there. */
export function routesAt(path: string): readonly FoundRoute[] {
  return routes.flatMap((route) => {
    const params = paramsOf(route, path);
    return params === undefined ? [] : [{ route, params }];
  });
}

/** The parts of a path that a route has in braces; undefined where the path is not the route's. */
function paramsOf(route: Route, path: string): ApiRequest['params'] | undefined {
  const wanted = route.path.split('/');
  const given = path.split('/');
  if (given.length !== wanted.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? '';
    const [, name] = /^\{(.*)\}$/.exec(part) ?? [];
    if (name === undefined) {
      if (value !== part) return undefined;
      continue;
    }
    const decoded = percentDecoded(value);
    if (decoded === undefined || decoded === '') return undefined;
    params[name] = decoded;
  }
  return params;
}

function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
