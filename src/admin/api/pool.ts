/** One pool: how it is, and how it is held and released. */
import { expected, type Parsed, parsed } from '../../config/parsed.ts';
import { type AdministeredPool, type PoolPatch, revisionOf } from '../../control/administration.ts';
import type { EndOptions } from '../../control/sessions.ts';
import { json, type Reply } from '../http.ts';
import { expectRevision, markOf, orRefusal, overrideView } from './administered.ts';
import { openSessions } from './backend.ts';
import {
  anything,
  duration,
  mistaken,
  oneOf,
  type ReadResult,
  readFields,
  readObject,
  text,
  under,
} from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';
import { poolStatus } from './status.ts';

const path = '/api/v1/pools/{pool}';

/** A hold that nobody ends has ended by then. */
const longestHoldMs = 10 * 60_000;
const usualTimeoutMs = 30_000;
const mostPerSecond = 1_000_000;

export const pool: Route = {
  path,
  method: 'GET',
  may: 'read',
  reply: (deps, { params }) => orRefusal(() => poolReply(200, deps, nameIn(params))),
};

export const patchPool: Route = {
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
  const before = view.administeredPool(name);
  const read = wishIn(body);
  if (!read.ok) return mistaken(read.errors);
  const { patch, forMs, reason, isAwaited, closing } = read.value;
  expectRevision(request, before);
  await operator.patchPool(name, patch, markOf(request, forMs, reason), revision);
  const closed = closing && (await deps.sessions.endAll({ pool: name, state: 'relaying' }, closing));
  const audit = {
    before: before.overrides,
    after: view.administeredPool(name).overrides,
    reason,
    closed,
  };
  const isPending = isAwaited && (view.pool(name)?.active ?? 0) > 0;
  return { ...poolReply(isPending ? 202 : 200, deps, name), audit };
}

interface PoolWish {
  readonly patch: PoolPatch;
  readonly forMs?: number;
  readonly reason?: string | undefined;
  /** Whether sessions that there are should end first, by themselves. */
  readonly isAwaited?: boolean;
  /** How sessions that there are are ended. */
  readonly closing?: EndOptions | undefined;
}

function wishIn(body: Buffer): ReadResult<PoolWish> {
  const read = readFields(body, { hold: anything, release: anything });
  if (!read.ok) return read;
  const { hold, release } = read.value;
  if (hold !== undefined && hold !== null) {
    return release === undefined
      ? under('hold', holdIn(hold))
      : wrong('release', 'Expected no release beside a hold');
  }
  if (release === undefined) {
    return hold === null ? { ok: true, value: { patch: { hold } } } : wrong(undefined, neitherText);
  }
  const paced = under('release', readObject(release, { rate }));
  return paced.ok
    ? { ok: true, value: { patch: { hold: null, releasePerSecond: paced.value.rate } } }
    : paced;
}

const neitherText = 'Expected hold or release, found none of them';

function wrong(key: string | undefined, message: string): ReadResult<never> {
  return { ok: false, errors: [{ ...(key !== undefined && { path: key }), message }] };
}

function holdIn(given: unknown): ReadResult<PoolWish> {
  const read = readObject(given, {
    for: duration,
    then: oneOf(['resume', 'refuse'] as const),
    sessions: openSessionsOrDrain,
    timeout: duration,
    reason: text(200),
  });
  if (!read.ok) return read;
  const { for: forMs, then = 'resume', sessions = 'keep', timeout = usualTimeoutMs, reason } = read.value;
  if (forMs === undefined || forMs === 0 || forMs > longestHoldMs)
    return wrong('for', 'Expected a duration up to "10m": a hold always ends');
  const isOver = typeof sessions === 'object';
  const hold = { then, sessions: isOver ? 'close' : sessions, timeoutMs: timeout } as const;
  const closing = isOver ? sessions : undefined;
  return { ok: true, value: { patch: { hold }, forMs, reason, isAwaited: sessions === 'drain', closing } };
}

/** `drain`: they end by themselves, and whoever asks wants to know when. */
function openSessionsOrDrain(value: unknown): Parsed<'keep' | 'drain' | EndOptions> {
  if (value === 'drain') return parsed(value);
  const read = openSessions(value);
  return read.ok ? read : expected(`"drain", ${read.expected}`);
}

function rate(value: unknown): Parsed<number> {
  const isRate = typeof value === 'number' && value > 0 && value <= mostPerSecond;
  return isRate ? parsed(value) : expected(`a number above 0, up to ${mostPerSecond}: sessions a second`);
}

function poolReply(status: number, deps: RouteDeps, name: string): Reply {
  const administered = deps.view.administeredPool(name);
  const revision = revisionOf(administered);
  const body = { ...poolView(administered, deps), revision };
  return json(status, body, { etag: `"${revision}"` });
}

function poolView({ pool: name, overrides }: AdministeredPool, { view, observations }: RouteDeps) {
  const seen = view.pool(name);
  return {
    pool: name,
    ...(seen !== undefined && poolStatus(seen, observations)),
    overrides: overrides.map(overrideView),
  };
}

function nameIn({ pool: name = '' }: ApiRequest['params']): string {
  return name;
}
