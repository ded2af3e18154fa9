/** One listener: how it is, and whether it accepts clients. */
import { type AdministeredListener, revisionOf } from '../../control/administration.ts';
import { BindError } from '../../control/bind-error.ts';
import { accepts } from '../../core/admin-state.ts';
import { failure, json, type Reply } from '../http.ts';
import { expectRevision, markOf, orRefusal, overrideView } from './administered.ts';
import { duration, mistaken, oneOf, orNull, readFields, text } from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';
import { listenerStatus } from './status.ts';

const path = '/api/v1/listeners/{listener}';

export const listener: Route = {
  path,
  method: 'GET',
  may: 'read',
  reply: (deps, { params }) => orRefusal(() => listenerReply(deps, nameIn(params))),
};

export const patchListener: Route = {
  path,
  method: 'PATCH',
  may: 'operate',
  body: { type: 'application/json', mostBytes: 4_096 },
  reply: (deps, request) => orRefusal(() => patched(deps, request)),
};

async function patched(deps: RouteDeps, request: ApiRequest): Promise<Reply> {
  const { view, operator } = deps;
  const { params, body, revision } = request;
  const name = nameIn(params);
  const before = view.administeredListener(name);
  const read = readFields(body, { accept: orNull(oneOf(accepts)), for: duration, reason: text(200) });
  if (!read.ok) return mistaken(read.errors);
  const { accept, for: forMs, reason } = read.value;
  if (accept === undefined)
    return mistaken([{ path: 'accept', message: `Expected ${accepts.join(', ')} or null, found none` }]);
  expectRevision(request, before);
  try {
    await operator.patchListener(name, accept, markOf(request, forMs, reason), revision);
  } catch (error) {
    if (error instanceof BindError) return failure(409, error.message);
    throw error;
  }
  const audit = { before: before.overrides, after: view.administeredListener(name).overrides, reason };
  return { ...listenerReply(deps, name), audit };
}

function listenerReply({ view }: RouteDeps, name: string): Reply {
  const administered = view.administeredListener(name);
  const revision = revisionOf(administered);
  return json(200, { ...listenerView(administered, view), revision }, { etag: `"${revision}"` });
}

function listenerView({ listener: name, overrides }: AdministeredListener, view: RouteDeps['view']) {
  const seen = view.snapshot().listeners.find((one) => one.name === name);
  return {
    listener: name,
    ...(seen !== undefined && listenerStatus(seen)),
    overrides: overrides.map(overrideView),
  };
}

function nameIn({ listener: name = '' }: ApiRequest['params']): string {
  return name;
}
