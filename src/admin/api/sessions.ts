/** Open sessions: listed, and ended. */
import { parseNetwork } from '../../config/networks.ts';
import { parsed } from '../../config/parsed.ts';
import { UnknownName } from '../../control/administered.ts';
import type { OpenSession } from '../../control/sessions.ts';
import { compileAddressSet } from '../../core/access/address-set.ts';
import { type SessionFilter, sessionStates } from '../../core/session-list.ts';
import { endpointText } from '../../telemetry/endpoint-text.ts';
import { failure, json } from '../http.ts';
import {
  anything,
  count,
  duration,
  type FieldValues,
  mistaken,
  oneOf,
  readFields,
  readObject,
  text,
  under,
} from './fields.ts';
import { orRefusal } from './resource.ts';
import type { Route, RouteDeps } from './route.ts';

const path = '/api/v1/sessions';

/** A backend has a host name of up to 253 characters and a port. */
const name = text(300);

const filterFields = {
  listener: name,
  pool: name,
  backend: name,
  state: oneOf(sessionStates),
  client: network,
  olderThan: duration,
  idleFor: duration,
  minBytes: count(Number.MAX_SAFE_INTEGER),
};

const listFields = {
  ...filterFields,
  sort: oneOf(['age', 'idle', 'bytes'] as const),
  limit: count(10_000),
  cursor: text(40),
};

/** The first sessions in the order of `sort`, without a cursor. */
export const sessions: Route = {
  path,
  method: 'GET',
  may: 'read',
  query: Object.keys(listFields),
  reply: ({ view, sessions }, { query }) =>
    orRefusal(async () => {
      const read = readObject(Object.fromEntries(query), listFields);
      if (!read.ok) return mistaken(read.errors);
      const { sort, limit = 100, cursor, ...given } = read.value;
      const list = await sessions.list({ filter: filterOf(view, given), sort, limit, cursor });
      if (list.sessions.length === 0 && cursor === undefined) checkNames(view, given);
      return json(200, { sessions: list.sessions.map(sessionView), cursor: list.cursor ?? null });
    }),
};

export const endSession: Route = {
  path: `${path}/{id}`,
  method: 'DELETE',
  may: 'operate',
  async reply({ sessions }, { params }) {
    const { id = '' } = params;
    const isEnded = await sessions.end(id);
    if (!isEnded) return failure(404, `There is no open session ${JSON.stringify(id.slice(0, 40))}`);
    return { status: 204, type: 'application/json; charset=utf-8', body: '' };
  },
};

export const closeSessions: Route = {
  path: `${path}/close`,
  method: 'POST',
  may: 'operate',
  body: { type: 'application/json', mostBytes: 4_096 },
  reply: ({ view, sessions }, { body }) =>
    orRefusal(async () => {
      const read = readFields(body, {
        filter: anything,
        how: oneOf(['reset', 'fin'] as const),
        over: duration,
        limit: count(Number.MAX_SAFE_INTEGER),
        reason: text(200),
      });
      if (!read.ok) return mistaken(read.errors);
      const { filter: given, how, over: overMs, limit, reason } = read.value;
      const filter = under('filter', readObject(given, filterFields));
      if (!filter.ok) return mistaken(filter.errors);
      const options = { ...(how && { how }), ...(overMs && { overMs }), ...(limit && { limit }) };
      const matched = await sessions.endAll(filterOf(view, filter.value), options);
      if (matched === 0) checkNames(view, filter.value);
      return { ...json(202, { matched }), audit: { filter: given, ...options, matched, reason } };
    }),
};

type GivenFilter = FieldValues<typeof filterFields>;

function filterOf(view: RouteDeps['view'], given: GivenFilter): SessionFilter {
  const { backend, olderThan: olderThanMs, idleFor: idleForMs, ...others } = given;
  return {
    ...others,
    ...(backend !== undefined && { backends: addressesOf(view, backend, given.pool) }),
    ...(olderThanMs && { olderThanMs }),
    ...(idleForMs && { idleForMs }),
  };
}

/** One that is in no pool any more may have sessions still, by the address that it had. */
function addressesOf(view: RouteDeps['view'], backend: string, pool?: string): readonly string[] {
  try {
    return view.administration.addressesOf(backend, pool);
  } catch (error) {
    if (error instanceof UnknownName) return [backend];
    throw error;
  }
}

/** Where nothing was found, a name may be mistaken: throws an UnknownName that has the nearest one. */
function checkNames({ administration }: RouteDeps['view'], { listener, pool, backend }: GivenFilter): void {
  if (listener !== undefined) administration.listener(listener);
  if (pool !== undefined) administration.pool(pool);
  if (backend !== undefined) administration.addressesOf(backend, pool);
}

function sessionView({ client, ageMs, idleMs, queueMs, connectMs, ...session }: OpenSession) {
  const whole = (ms: number | undefined): number | null => (ms === undefined ? null : Math.round(ms));
  return {
    ...session,
    client: endpointText(client),
    ...{ ageMs: whole(ageMs), idleMs: whole(idleMs), queueMs: whole(queueMs), connectMs: whole(connectMs) },
  };
}

function network(value: unknown) {
  const range = parseNetwork(typeof value === 'string' ? value : '');
  return range.ok ? parsed(compileAddressSet([range.value])) : range;
}
