import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Whether clients are to be sent here: not while it starts, and not once it has been told to stop. */
export const readyz: Route = {
  path: '/readyz',
  method: 'GET',
  may: 'none',
  whileStarting: true,
  reply({ view: { phase } }) {
    const ready = phase === 'serving';
    return json(ready ? 200 : 503, { ready, phase });
  },
};
