/** How the last quarter of an hour was: listeners and pools, or the backends of one pool. */
import { UnknownName } from '../../control/administered.ts';
import { betweenPointsMs, type Series } from '../../telemetry/history.ts';
import { failure, json } from '../http.ts';
import { mistaken } from './fields.ts';
import type { Route } from './route.ts';

export const history: Route = {
  path: '/api/v1/history',
  method: 'GET',
  may: 'read',
  query: ['pool', 'from'],
  reply({ view, history }, { query }) {
    const from = Number(query.get('from') ?? 0);
    if (!Number.isInteger(from) || from < 0) {
      const found = JSON.stringify(query.get('from'));
      return mistaken([{ path: 'from', message: `Expected the number of a point, found ${found}` }]);
    }
    const { plan } = view;
    const head = { everyMs: betweenPointsMs, next: history.next };
    const pool = query.get('pool');
    if (pool === null) {
      const listeners = byName(plan.listeners, ({ name }) => history.listener(name, from));
      return json(200, {
        ...head,
        listeners,
        pools: byName(plan.pools, ({ name }) => history.pool(name, from)),
      });
    }
    const found = plan.pools.find(({ name }) => name === pool);
    if (found === undefined) {
      const names = plan.pools.map(({ name }) => name);
      return failure(404, new UnknownName('pool', pool, names).message);
    }
    const backends = byName(found.backends, ({ name }) => history.backend(pool, name, from));
    return json(200, { ...head, pool, backends });
  },
};

/** Without those of which nothing is kept. */
function byName<Named extends { readonly name: string }>(
  all: readonly Named[],
  seriesOf: (one: Named) => Series | undefined,
): Readonly<Record<string, Series>> {
  return Object.fromEntries(
    all.flatMap((one) => {
      const series = seriesOf(one);
      return series === undefined ? [] : [[one.name, series]];
    }),
  );
}
