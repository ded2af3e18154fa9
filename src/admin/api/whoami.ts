import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Who asks, and what it may do: for pages that show what can be done. */
export const whoami: Route = {
  path: '/api/v1/whoami',
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: (_, { by, may }) => json(200, { name: by, may }),
};
