/** One listener: how it is, and whether it accepts clients. */
import type { AdministeredListener } from '../../control/administered.ts';
import { type Accept, accepts } from '../../core/admin-state.ts';
import { duration, oneOf, orNull, type ReadResult, readFields, text, wrong } from './fields.ts';
import { markOf, type Resource, routesOf } from './resource.ts';
import { listenerStatus } from './status.ts';

interface ListenerRequest {
  readonly accept: Accept | null;
  readonly forMs?: number | undefined;
  readonly reason?: string | undefined;
}

const resource: Resource<AdministeredListener, ListenerRequest> = {
  path: '/api/v1/listeners/{listener}',
  find: ({ view }, { listener = '' }) => view.administration.listener(listener),
  show({ view }, { listener }) {
    const seen = view.snapshot().listeners.find(({ name }) => name === listener);
    return { listener, ...(seen && listenerStatus(seen)) };
  },
  read(body): ReadResult<ListenerRequest> {
    const read = readFields(body, { accept: orNull(oneOf(accepts)), for: duration, reason: text(200) });
    if (!read.ok) return read;
    const { accept, for: forMs, reason } = read.value;
    if (accept === undefined) return wrong('accept', `Expected ${accepts.join(', ')} or null, found none`);
    return { ok: true, value: { accept, forMs, reason } };
  },
  async change({ operator }, { before: { listener }, wanted, request }) {
    const { accept, forMs, reason } = wanted;
    await operator.patchListener(listener, accept, markOf(request, forMs, reason), request.revision);
    return { reason };
  },
};

export const { get: listener, patch: patchListener } = routesOf(resource);
