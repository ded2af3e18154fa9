/** What operators have changed beside the configuration. */
import { json } from '../http.ts';
import { nameIn, orUnknown, overrideView } from './backend.ts';
import type { Route } from './route.ts';

const path = '/api/v1/overrides';

export const overrides: Route = {
  path,
  method: 'GET',
  may: 'read',
  reply: ({ source }) =>
    json(200, {
      overrides: source.overrides.map((one) => ({
        pool: one.pool,
        backend: one.backend,
        ...overrideView(one),
      })),
    }),
};

/** Goes back to the configuration everywhere. */
export const resetAll: Route = {
  path,
  method: 'DELETE',
  may: 'operate',
  async reply({ source }) {
    const before = source.overrides;
    await source.resetBackends();
    return { ...json(200, { overrides: [] }), audit: { before, after: [] } };
  },
};

/** Goes back to the configuration for one backend. */
export const resetBackend: Route = {
  path: `${path}/{pool}/{backend}`,
  method: 'DELETE',
  may: 'operate',
  reply: ({ source }, { params }) =>
    orUnknown(async () => {
      const name = nameIn(params);
      const isOf = (one: { readonly pool: string; readonly backend: string }): boolean =>
        one.pool === name.pool && one.backend === name.backend;
      const before = source.overrides.filter(isOf);
      await source.resetBackends(name);
      return { ...json(200, { overrides: source.overrides.filter(isOf) }), audit: { before, after: [] } };
    }),
};
