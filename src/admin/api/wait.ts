/** Waits until something is true of a pool or a backend, for scripts: "tell me when it is empty". */
import { setTimeout } from 'node:timers/promises';
import { parseDuration } from '../../config/durations.ts';
import { UnknownName } from '../../control/administration.ts';
import type { Observations } from '../../telemetry/observations.ts';
import type { PoolSnapshot } from '../../telemetry/snapshot.ts';
import { failure, json } from '../http.ts';
import { type FieldError, mistaken } from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';
import { backendStatus, poolStatus } from './status.ts';

interface Wish {
  readonly pool: string;
  readonly backend: string | undefined;
  readonly until: Until;
  readonly timeoutMs: number;
}

/**
 * `idle`: no session holds a place, and of a pool that is not held, none waits for one. `up`: it takes sessions; of a
 * pool, a backend does. `resumed`: the pool is not held.
 */
const conditions = {
  idle: ({ active, queued = 0, isHeld }) => active + (isHeld ? 0 : queued) === 0,
  up: ({ takesSessions }) => takesSessions,
  resumed: ({ isHeld }) => !isHeld,
} satisfies Record<string, (now: Now) => boolean>;
type Until = keyof typeof conditions;

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
const longestMs = 10 * 60_000;

export const wait: Route = {
  path: '/api/v1/wait',
  method: 'GET',
  may: 'read',
  async reply(deps, { query, left }) {
    const wish = wishIn(query);
    if (!('until' in wish)) return mistaken(wish);
    const first = look(deps, wish);
    if (first instanceof UnknownName) return failure(404, first.message);
    const endMs = performance.now() + wish.timeoutMs;
    for (;;) {
      const now = look(deps, wish);
      if (now instanceof UnknownName) return failure(409, `${now.message} any more`);
      if (conditions[wish.until](now)) return json(200, now.state());
      if (wish.until === 'idle' && first.isHeld && !now.isHeld)
        return failure(409, `The pool ${JSON.stringify(wish.pool)} was resumed before it was idle`);
      const leftMs = endMs - performance.now();
      if (leftMs <= 0 || left.aborted) return json(408, now.state());
      await setTimeout(Math.min(betweenLooksMs, leftMs));
    }
  },
};

function look({ view, observations }: RouteDeps, { pool, backend }: Wish): Now | UnknownName {
  const seen = view.pool(pool);
  if (seen === undefined)
    return new UnknownName(
      'pool',
      pool,
      view.plan.pools.map(({ name }) => name),
    );
  if (backend === undefined) return ofPool(seen, observations);
  const one = seen.backends.find(({ name }) => name === backend);
  if (one === undefined)
    return new UnknownName(
      'backend',
      backend,
      seen.backends.map(({ name }) => name),
    );
  const takesSessions = one.unavailable === undefined || one.unavailable === 'full';
  const state = (): object => backendStatus(one, observations.backend(pool, one.name));
  return { active: one.active, takesSessions, isHeld: isHeld(seen), state };
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

function wishIn(query: ApiRequest['query']): Wish | readonly FieldError[] {
  const errors: FieldError[] = [];
  const pool = query.get('pool') ?? '';
  if (pool === '') errors.push({ path: 'pool', message: 'Expected the name of a pool, found none' });
  const words = Object.keys(conditions);
  const until = query.get('until');
  if (!isCondition(until)) {
    errors.push({
      path: 'until',
      message: `Expected one of ${words.join(', ')}, found ${JSON.stringify(until)}`,
    });
  }
  const timeout = parseDuration(query.get('timeout') ?? '30s');
  if (!timeout.ok) errors.push({ path: 'timeout', message: `Expected ${timeout.expected}` });
  else if (timeout.value > longestMs) errors.push({ path: 'timeout', message: 'Expected at most "10m"' });
  if (errors.length > 0 || !isCondition(until) || !timeout.ok) return errors;
  return { pool, backend: query.get('backend') ?? undefined, until, timeoutMs: timeout.value };
}

function isCondition(word: string | null): word is Until {
  return word !== null && Object.hasOwn(conditions, word);
}
