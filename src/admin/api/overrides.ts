/** What operators have changed beside the configuration. */
import type { Override } from '../../control/overrides.ts';
import { json } from '../http.ts';
import { nameIn } from './backend.ts';
import { markOf, orRefusal, overrideView } from './resource.ts';
import type { Route } from './route.ts';

const path = '/api/v1/overrides';

export const overrides: Route = {
  path,
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: ({ view }) =>
    json(200, {
      overrides: view.administration.overrides.map((one) => ({
        ...namesOf(one),
        ...overrideView(one),
      })),
    }),
};

/** Goes back to the configuration everywhere. */
export const resetAll: Route = {
  path,
  method: 'DELETE',
  may: 'operate',
  async reply({ view, operator }, { by }) {
    const before = view.administration.overrides;
    await operator.resetOverrides(undefined, markOf({ by }));
    return { ...json(200, { overrides: [] }), audit: { before, after: [] } };
  },
};

/** Goes back to the configuration for one backend. */
export const resetBackend: Route = {
  path: `${path}/{pool}/{backend}`,
  method: 'DELETE',
  may: 'operate',
  reply: ({ view, operator }, { params, by }) =>
    orRefusal(async () => {
      const name = nameIn(params);
      const isOf = (one: Override): boolean => one.pool === name.pool && one.backend === name.backend;
      const before = view.administration.overrides.filter(isOf);
      await operator.resetOverrides(name, markOf({ by }));
      return {
        ...json(200, { overrides: view.administration.overrides.filter(isOf) }),
        audit: { before, after: [] },
      };
    }),
};

function namesOf({ listener, pool, backend }: Override) {
  if (listener !== undefined) return { listener };
  return { pool, ...(backend !== undefined && { backend }) };
}
