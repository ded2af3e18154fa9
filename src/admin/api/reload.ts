import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Reads the configuration again, and answers once it holds or is refused. */
export const reload: Route = {
  path: '/api/v1/reload',
  method: 'POST',
  async reply({ source }) {
    const result = await source.reload();
    return result.ok ? json(200, { reloaded: true }) : json(422, { errors: result.errors });
  },
};
