/** One pool: how it is, and how it is held and released. */
import { expected, type Parsed, parsed } from '../../config/parsed.ts';
import type { AdministeredPool } from '../../control/administered.ts';
import type { PoolPatch } from '../../control/administration.ts';
import type { EndOptions } from '../../control/sessions.ts';
import { openSessions } from './backend.ts';
import {
  anything,
  duration,
  oneOf,
  type ReadResult,
  readFields,
  readObject,
  text,
  under,
  wrong,
} from './fields.ts';
import { markOf, type Resource, routesOf } from './resource.ts';
import { poolStatus } from './status.ts';

/** A hold that nobody ends has ended by then. */
const longestHoldMs = 10 * 60_000;
const usualTimeoutMs = 30_000;
const mostPerSecond = 1_000_000;

const resource: Resource<AdministeredPool, PoolRequest> = {
  path: '/api/v1/pools/{pool}',
  find: ({ view }, { pool = '' }) => view.administration.pool(pool),
  show({ view, observations }, { pool }) {
    const seen = view.pool(pool);
    return { pool, ...(seen && poolStatus(seen, observations)) };
  },
  read: readPatch,
  async change({ view, operator, sessions }, { before: { pool }, wanted, request }) {
    const { patch, forMs, reason, isAwaited, closing } = wanted;
    await operator.patchPool(pool, patch, markOf(request, forMs, reason), request.revision);
    const closed = closing && (await sessions.endAll({ pool, state: 'relaying' }, closing));
    const isPending = isAwaited && (view.pool(pool)?.active ?? 0) > 0;
    return { status: isPending ? 202 : 200, reason, closed };
  },
};

export const { get: pool, patch: patchPool } = routesOf(resource);

interface PoolRequest {
  readonly patch: PoolPatch;
  readonly forMs?: number;
  readonly reason?: string | undefined;
  /** Whether sessions that there are should end first, by themselves. */
  readonly isAwaited?: boolean;
  /** How sessions that there are are ended. */
  readonly closing?: EndOptions | undefined;
}

function readPatch(body: Buffer): ReadResult<PoolRequest> {
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

function holdIn(given: unknown): ReadResult<PoolRequest> {
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

/** `drain`: they end by themselves, and the reply comes once all have. */
function openSessionsOrDrain(value: unknown): Parsed<'keep' | 'drain' | EndOptions> {
  if (value === 'drain') return parsed(value);
  const read = openSessions(value);
  return read.ok ? read : expected(`"drain", ${read.expected}`);
}

function rate(value: unknown): Parsed<number> {
  const isRate = typeof value === 'number' && value > 0 && value <= mostPerSecond;
  return isRate ? parsed(value) : expected(`a number above 0, up to ${mostPerSecond}: sessions a second`);
}
