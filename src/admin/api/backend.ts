/** One backend: how it is, and how it is administered. */
import { expected, type Parsed, parsed } from '../../config/parsed.ts';
import { type Administered, revisionOf } from '../../control/administration.ts';
import type { BackendFields, BackendName, BackendPatch } from '../../control/overrides.ts';
import { adminStates } from '../../core/admin-state.ts';
import { json, type Reply } from '../http.ts';
import { expectRevision, markOf, orRefusal, overrideView } from './administered.ts';
import { duration, mistaken, oneOf, orNull, readFields, readObject, text } from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';
import { backendStatus } from './status.ts';

const path = '/api/v1/pools/{pool}/backends/{backend}';

export const backend: Route = {
  path,
  method: 'GET',
  may: 'read',
  reply: (deps, { params }) => orRefusal(() => backendReply(deps, nameIn(params))),
};

export const patchBackend: Route = {
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
  const before = view.administered(name);
  const read = readFields(body, patchFields);
  if (!read.ok) return mistaken(read.errors);
  const { for: forMs, reason, sessions, ...patch } = read.value;
  if (Object.keys(patch).length === 0 && sessions === undefined) {
    return mistaken([{ message: 'Expected state, weight, maxConnections or sessions, found none of them' }]);
  }
  expectRevision(request, before);
  if (Object.keys(patch).length > 0) {
    await operator.patchBackend(name, patch, markOf(request, forMs, reason), revision);
  }
  const filter = { pool: before.pool, backend: before.backend };
  const closing = sessions === undefined || sessions === 'keep' ? undefined : sessions;
  const closed = closing && (await deps.sessions.endAll(filter, closing));
  const audit = { before: before.overrides, after: view.administered(name).overrides, reason, closed };
  return { ...backendReply(deps, name), audit };
}

const patchFields = {
  state: orNull(oneOf(adminStates)),
  weight: orNull(weight),
  maxConnections: orNull(maxConnections),
  sessions: openSessions,
  for: duration,
  reason: text(200),
} satisfies Record<keyof BackendPatch | 'sessions' | 'for' | 'reason', (value: unknown) => Parsed<unknown>>;

export function backendReply(deps: RouteDeps, name: BackendName): Reply {
  const administered = deps.view.administered(name);
  const revision = revisionOf(administered);
  return json(200, { ...backendView(administered, deps), revision }, { etag: `"${revision}"` });
}

function backendView(
  { pool, backend, layers, effective, overrides }: Administered,
  { view, observations }: RouteDeps,
) {
  const status = view
    .snapshot()
    .pools.find(({ name }) => name === pool)
    ?.backends.find(({ name }) => name === backend);
  return {
    pool,
    ...(status === undefined
      ? { address: backend }
      : backendStatus(status, observations.backend(pool, status.name))),
    layers,
    effective: effective.state,
    weight: effective.weight,
    maxConnections: effective.maxConnections,
    overrides: overrides.map(overrideView),
  };
}

export function nameIn({ pool = '', backend = '' }: ApiRequest['params']): BackendName {
  return { pool, backend };
}

/** What becomes of those that are open: `close` ends them at once, `{ over }` spread over a time. */
export function openSessions(value: unknown): Parsed<'keep' | { readonly overMs: number }> {
  if (value === 'keep') return parsed(value);
  if (value === 'close') return parsed({ overMs: 0 });
  const read = readObject(value, { over: duration });
  return read.ok && read.value.over !== undefined
    ? parsed({ overMs: read.value.over })
    : expected('"keep", "close" or { "over": "2m" }');
}

function weight(value: unknown): Parsed<BackendFields['weight']> {
  const isNumber = typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 1_000_000;
  if (isNumber) return parsed(value);
  const isShare = typeof value === 'string' && /^\d{1,4}(\.\d{1,3})?%$/.test(value);
  // The pattern is that of the type.
  return isShare
    ? parsed(value as `${number}%`)
    : expected('an integer from 0 to 1000000 or a share of the configured weight such as "50%"');
}

function maxConnections(value: unknown): Parsed<BackendFields['maxConnections']> {
  const isNumber = typeof value === 'number' && Number.isInteger(value) && value >= 1 && value < 2 ** 31;
  if (isNumber || value === 'unlimited') return parsed(value);
  return expected(`an integer from 1 to ${2 ** 31 - 1} or "unlimited"`);
}
