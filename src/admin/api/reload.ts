import { NotServing } from '../../control/lifecycle.ts';
import { json } from '../http.ts';
import type { Route } from './route.ts';

/**
 * Reads the configuration again, and answers once it holds or is refused: with what it has changed. One that is asked
 * for during the start comes after it.
 */
export const reload: Route = {
  path: '/api/v1/reload',
  method: 'POST',
  may: 'operate',
  whileStarting: true,
  async reply({ reload, view }) {
    if (view.phase === 'draining') throw NotServing.stopping;
    const result = await reload('admin API');
    if (!result.ok) return json(422, { errors: result.errors });
    const { changes, pendingRestart } = result;
    return json(200, { reloaded: true, ...changes, pendingRestart });
  },
};
