/** One backend: how it is, and how it is administered. */
import { expected, type Parsed, parsed } from '../../config/parsed.ts';
import type { Administered } from '../../control/administered.ts';
import type { BackendFields, BackendName, BackendPatch } from '../../control/overrides.ts';
import type { EndOptions } from '../../control/sessions.ts';
import { adminStates } from '../../core/admin-state.ts';
import { duration, oneOf, orNull, type ReadResult, readFields, readObject, text, wrong } from './fields.ts';
import { markOf, type Resource, routesOf } from './resource.ts';
import type { ApiRequest } from './route.ts';
import { backendStatus } from './status.ts';

interface BackendRequest {
  readonly patch: BackendPatch;
  readonly forMs?: number | undefined;
  readonly reason?: string | undefined;
  /** How sessions that there are are ended. */
  readonly closing?: EndOptions | undefined;
}

export const backendResource: Resource<Administered, BackendRequest> = {
  path: '/api/v1/pools/{pool}/backends/{backend}',
  find: ({ view }, params) => view.administration.backend(nameIn(params)),
  show({ view, observations }, { pool, backend, addresses, layers, effective }) {
    const seen = view
      .snapshot()
      .pools.find(({ name }) => name === pool)
      ?.backends.find(({ name }) => name === backend);
    return {
      pool,
      ...(seen ? backendStatus(seen, observations.backend(pool, seen.name)) : { address: backend }),
      addresses,
      layers,
      effective: effective.state,
      weight: effective.weight,
      maxConnections: effective.maxConnections,
    };
  },
  read: readPatch,
  async change({ operator, sessions }, { before, wanted, request }) {
    const { patch, forMs, reason, closing } = wanted;
    if (Object.keys(patch).length > 0) {
      const name = nameIn(request.params);
      await operator.patchBackend(name, patch, markOf(request, forMs, reason), request.revision);
    }
    const { pool, addresses: backends } = before;
    return { reason, closed: closing && (await sessions.endAll({ pool, backends }, closing)) };
  },
};

export const { get: backend, patch: patchBackend } = routesOf(backendResource);

const patchFields = {
  state: orNull(oneOf(adminStates)),
  weight: orNull(weight),
  maxConnections: orNull(maxConnections),
  sessions: openSessions,
  for: duration,
  reason: text(200),
} satisfies Record<keyof BackendPatch | 'sessions' | 'for' | 'reason', (value: unknown) => Parsed<unknown>>;

function readPatch(body: Buffer): ReadResult<BackendRequest> {
  const read = readFields(body, patchFields);
  if (!read.ok) return read;
  const { for: forMs, reason, sessions, ...patch } = read.value;
  if (Object.keys(patch).length === 0 && sessions === undefined)
    return wrong(undefined, 'Expected state, weight, maxConnections or sessions, found none of them');
  const closing = sessions === 'keep' ? undefined : sessions;
  return { ok: true, value: { patch, forMs, reason, closing } };
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
