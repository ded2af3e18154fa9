import { asWritten } from '../../config/as-written.ts';
import { json } from '../http.ts';
import type { Route } from './route.ts';

/** What runs, with every default filled in, but for what operators have changed beside it. */
export const configuration: Route = {
  path: '/api/v1/configuration',
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: ({ view, origin }) =>
    json(200, { file: origin()?.file ?? null, configuration: asWritten(view.config) }),
};
