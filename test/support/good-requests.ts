/** A request to each route of the admin API that a proxy with a listener `web` and a pool `app` grants. */
import { routes } from '../../src/admin/api/routes.ts';

export interface GoodRequest {
  readonly method: string;
  readonly path: string;
  /** As JSON. */
  readonly body?: object;
}

/** Of every route, as the table of routes has them: by `GET /livez`. Throws where a route has none. */
export function goodRequests(backend: string): ReadonlyMap<string, GoodRequest> {
  const known = requestsTo(encodeURIComponent(backend));
  return new Map(
    routes.map(({ method, path }) => {
      const route = `${method} ${path}`;
      const found = known[route];
      if (found === undefined) throw new Error(`No test has a good request to ${route}`);
      return [route, { method, ...found }];
    }),
  );
}

function requestsTo(backend: string): Readonly<Record<string, Omit<GoodRequest, 'method'>>> {
  const api = '/api/v1';
  return {
    'GET /livez': { path: '/livez' },
    'GET /readyz': { path: '/readyz' },
    'GET /metrics': { path: '/metrics' },
    [`GET ${api}/status`]: { path: `${api}/status` },
    [`GET ${api}/history`]: { path: `${api}/history?pool=app` },
    [`GET ${api}/configuration`]: { path: `${api}/configuration` },
    [`GET ${api}/whoami`]: { path: `${api}/whoami` },
    [`GET ${api}/clients`]: { path: `${api}/clients?listener=web` },
    [`POST ${api}/reload`]: { path: `${api}/reload` },
    [`POST ${api}/explain`]: { path: `${api}/explain`, body: { listener: 'web', client: '10.1.2.3' } },
    [`GET ${api}/pools/{pool}/backends/{backend}`]: { path: `${api}/pools/app/backends/${backend}` },
    [`PATCH ${api}/pools/{pool}/backends/{backend}`]: {
      path: `${api}/pools/app/backends/${backend}`,
      body: { state: 'drain' },
    },
    [`POST ${api}/pools/{pool}/backends/{backend}/circuit`]: {
      path: `${api}/pools/app/backends/${backend}/circuit`,
      body: { to: 'open' },
    },
    [`GET ${api}/pools/{pool}`]: { path: `${api}/pools/app` },
    [`PATCH ${api}/pools/{pool}`]: { path: `${api}/pools/app`, body: { hold: { for: '1m' } } },
    [`GET ${api}/listeners/{listener}`]: { path: `${api}/listeners/web` },
    [`PATCH ${api}/listeners/{listener}`]: { path: `${api}/listeners/web`, body: { accept: 'paused' } },
    [`GET ${api}/overrides`]: { path: `${api}/overrides` },
    [`DELETE ${api}/overrides`]: { path: `${api}/overrides` },
    [`DELETE ${api}/overrides/{pool}/{backend}`]: { path: `${api}/overrides/app/${backend}` },
    [`GET ${api}/sessions`]: { path: `${api}/sessions?pool=app` },
    [`DELETE ${api}/sessions/{id}`]: { path: `${api}/sessions/w0.1.1` },
    [`POST ${api}/sessions/close`]: { path: `${api}/sessions/close`, body: { filter: { pool: 'app' } } },
    [`GET ${api}/wait`]: { path: `${api}/wait?pool=app&until=resumed` },
    [`GET ${api}/events`]: { path: `${api}/events` },
    'GET /': { path: '/' },
    'GET /dashboard/{file}': { path: '/dashboard/main.js' },
  };
}
