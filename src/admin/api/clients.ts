import { UnknownName } from '../../control/administered.ts';
import { limitOf } from '../../core/explain/explanation.ts';
import { failure, json } from '../http.ts';
import { mistaken } from './fields.ts';
import type { Route } from './route.ts';

/** The clients of a listener that have most connections. */
export const clients: Route = {
  path: '/api/v1/clients',
  method: 'GET',
  may: 'read',
  query: ['listener', 'most'],
  reply({ view }, { query }) {
    const name = query.get('listener');
    const most = Number(query.get('most') ?? usualMost);
    if (name === null)
      return mistaken([{ path: 'listener', message: 'Expected the name of a listener, found none' }]);
    if (!Number.isInteger(most) || most < 1 || most > largestMost) {
      const found = JSON.stringify(query.get('most'));
      return mistaken([
        { path: 'most', message: `Expected an integer from 1 to ${largestMost}, found ${found}` },
      ]);
    }
    const { listeners } = view.snapshot();
    const listener = listeners.find((one) => one.name === name);
    const busy = view.busiestClients(name, most);
    if (listener === undefined || busy === undefined) {
      const names = listeners.map((one) => one.name);
      return failure(404, new UnknownName('listener', name, names).message);
    }
    return json(200, { listener: name, active: listener.active, limit: limitOf(listener.limit), ...busy });
  },
};

const usualMost = 20;
const largestMost = 1_000;
