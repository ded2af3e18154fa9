import type { Route } from './route.ts';

/** All metrics, for Prometheus. */
export const metrics: Route = {
  path: '/metrics',
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: async ({ metrics }) => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
};
