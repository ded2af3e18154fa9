/** Opens or closes a backend's circuit breaker by hand. */
import { failure } from '../http.ts';
import { backendResource, nameIn } from './backend.ts';
import { duration, mistaken, oneOf, readFields } from './fields.ts';
import { expectRevision, orRefusal, replyOf } from './resource.ts';
import type { Route } from './route.ts';

const defaultOpenMs = 60_000;

export const circuit: Route = {
  path: '/api/v1/pools/{pool}/backends/{backend}/circuit',
  method: 'POST',
  may: 'operate',
  hasRevision: true,
  body: { type: 'application/json', mostBytes: 4_096 },
  reply: (deps, { params, body, revision }) =>
    orRefusal(() => {
      const name = nameIn(params);
      const before = deps.view.administration.backend(name);
      const read = readFields(body, { to: oneOf(['closed', 'open'] as const), for: duration });
      if (!read.ok) return mistaken(read.errors);
      const { to, for: openForMs = defaultOpenMs } = read.value;
      if (to === undefined)
        return mistaken([{ path: 'to', message: 'Expected one of closed, open, found none' }]);
      expectRevision({ revision }, before);
      if (!deps.operator.setCircuit(name, to, openForMs)) {
        return failure(409, `The pool ${JSON.stringify(name.pool)} has no circuit breaker`);
      }
      return {
        ...replyOf(backendResource, deps, deps.view.administration.backend(name)),
        audit: { to, ...(to === 'open' && { openForMs }) },
      };
    }),
};
