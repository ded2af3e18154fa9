import { json } from '../http.ts';
import type { Route } from './route.ts';

/** The name and the permission of the client, so that a page shows only what the client can do. */
export const whoami: Route = {
  path: '/api/v1/whoami',
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: (_, { by, may }) => json(200, { name: by, may }),
};
