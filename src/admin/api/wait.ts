/** Waits until something is true of a pool or a backend, for scripts: "tell me when it is empty". */
import { setTimeout } from 'node:timers/promises';
import { UnknownName } from '../../control/administered.ts';
import { startTimeOut } from '../../control/time-out.ts';
import type { Observations } from '../../telemetry/observations.ts';
import type { BackendSnapshot, PoolSnapshot } from '../../telemetry/snapshot.ts';
import { failure, json } from '../http.ts';
import { duration, mistaken, oneOf, type ReadResult, readObject, text, wrong } from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';
import { backendStatus, poolStatus } from './status.ts';

const untils = ['idle', 'up', 'resumed'] as const;
type Until = (typeof untils)[number];

const fields = { pool: text(300), backend: text(300), until: oneOf(untils), timeout: duration };

interface WaitRequest {
  readonly pool: string;
  readonly backend: string | undefined;
  readonly until: Until;
  readonly timeoutMs: number;
}

/**
 * `idle`: no session holds a place, and of a pool that is not held, none waits for one. `up`: it takes sessions; of a
 * pool, a backend does. `resumed`: the pool is not held. A name that stands for several addresses means each of them.
 */
const conditions: Readonly<Record<Until, (now: Now) => boolean>> = {
  idle: ({ active, queued = 0, isHeld }) => active + (isHeld ? 0 : queued) === 0,
  up: ({ takesSessions }) => takesSessions,
  resumed: ({ isHeld }) => !isHeld,
};

interface Now {
  readonly active: number;
  readonly queued?: number;
  readonly takesSessions: boolean;
  /** The pool is, or that of the backend. */
  readonly isHeld: boolean;
  /** As status has it, made where it is told alone. */
  state(): object;
}

const betweenLooksMs = 50;
const usualMs = 30_000;
const longestMs = 10 * 60_000;

export const wait: Route = {
  path: '/api/v1/wait',
  method: 'GET',
  may: 'read',
  query: Object.keys(fields),
  async reply(deps, { query, left }) {
    const read = readRequest(query);
    if (!read.ok) return mistaken(read.errors);
    const request = read.value;
    const isTrue = conditions[request.until];
    let isOver = false;
    const cancelTimeOut = startTimeOut(request.timeoutMs, () => {
      isOver = true;
    });
    let wasHeld: boolean | undefined;
    try {
      for (;;) {
        const now = look(deps, request);
        const missing = now.find((one) => !isTrue(one));
        if (missing === undefined) return json(200, now[0].state());
        wasHeld ??= missing.isHeld;
        if (request.until === 'idle' && wasHeld && !missing.isHeld)
          return failure(409, `The pool ${JSON.stringify(request.pool)} was resumed before it was idle`);
        if (isOver || left.aborted) return json(408, missing.state());
        await setTimeout(betweenLooksMs);
      }
    } catch (error) {
      if (!(error instanceof UnknownName)) throw error;
      if (wasHeld === undefined) return failure(404, error.message);
      return failure(409, `What was waited for is not there any more: ${error.message}`);
    } finally {
      cancelTimeOut();
    }
  },
};

/** The pool, or each address of the backend, of which it must be true. Throws an UnknownName. */
function look({ view, observations }: RouteDeps, { pool, backend }: WaitRequest): readonly [Now, ...Now[]] {
  const seen = view.pool(pool);
  const names = view.plan.pools.map(({ name }) => name);
  if (seen === undefined) throw new UnknownName('pool', pool, names);
  if (backend === undefined) return [ofPool(seen, observations)];
  const meant = view.administration.addressesOf(backend, pool);
  const [first, ...others] = seen.backends
    .filter(({ name }) => meant.includes(name))
    .map((one) => ofBackend(one, seen, observations));
  const addresses = seen.backends.map(({ name }) => name);
  if (first === undefined) throw new UnknownName('backend', backend, addresses);
  return [first, ...others];
}

function ofBackend(one: BackendSnapshot, pool: PoolSnapshot, observations: Observations): Now {
  return {
    active: one.active,
    takesSessions: one.unavailable === undefined || one.unavailable === 'full',
    isHeld: isHeld(pool),
    state: () => backendStatus(one, observations.backend(pool.name, one.name)),
  };
}

function ofPool(pool: PoolSnapshot, observations: Observations): Now {
  const { active, queued, backends } = pool;
  const takesSessions = backends.some(({ unavailable = 'full' }) => unavailable === 'full');
  const state = (): object => poolStatus(pool, observations);
  return { active, queued, takesSessions, isHeld: isHeld(pool), state };
}

function isHeld({ hold }: PoolSnapshot): boolean {
  return hold?.phase === 'held';
}

function readRequest(query: ApiRequest['query']): ReadResult<WaitRequest> {
  const read = readObject(Object.fromEntries(query), fields);
  if (!read.ok) return read;
  const { pool = '', backend, until, timeout = usualMs } = read.value;
  if (pool === '') return wrong('pool', 'Expected the name of a pool, found none');
  if (until === undefined) return wrong('until', `Expected one of ${untils.join(', ')}, found none`);
  if (timeout > longestMs) return wrong('timeout', 'Expected at most "10m"');
  return { ok: true, value: { pool, backend, until, timeoutMs: timeout } };
}
