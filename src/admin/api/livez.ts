import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Answers as long as the main thread does. */
export const livez: Route = {
  path: '/livez',
  method: 'GET',
  may: 'none',
  whileStarting: true,
  reply: () => json(200, { live: true }),
};
