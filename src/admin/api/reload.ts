import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Reads the configuration again, and answers once it holds or is refused: with what it has changed. */
export const reload: Route = {
  path: '/api/v1/reload',
  method: 'POST',
  may: 'operate',
  async reply({ reload }) {
    const result = await reload('admin API');
    if (!result.ok) return json(422, { errors: result.errors });
    const { changes, pendingRestart } = result;
    return json(200, { reloaded: true, ...changes, pendingRestart });
  },
};
