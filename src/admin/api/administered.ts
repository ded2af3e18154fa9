/** What routes share that show and change how operators have it: pools, backends, listeners. */
import { revisionOf, StaleRevision, UnknownName } from '../../control/administration.ts';
import type { Mark, Override } from '../../control/overrides.ts';
import { failure, type Reply } from '../http.ts';
import type { ApiRequest } from './route.ts';

/** 404, with what is wrong with the name, or 412 where somebody else was faster. */
export async function orRefusal(reply: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await reply();
  } catch (error) {
    if (error instanceof UnknownName) return failure(404, error.message);
    if (error instanceof StaleRevision) return failure(412, error.message);
    throw error;
  }
}

/** Throws a StaleRevision where the request means another state than this. */
export function expectRevision({ revision }: ApiRequest, state: Parameters<typeof revisionOf>[0]): void {
  if (revision !== undefined && revision !== revisionOf(state)) throw new StaleRevision();
}

/** Of a change that is made now. */
export function markOf({ by }: Pick<ApiRequest, 'by'>, forMs?: number, reason?: string): Mark {
  const sinceMs = Date.now();
  return { sinceMs, untilMs: forMs === undefined ? undefined : sinceMs + forMs, by, reason };
}

/** Times as people and programs read them: ISO 8601, in UTC. */
export function overrideView({ field, value, configured, sinceMs, untilMs, by, reason }: Override) {
  const time = (ms: number): string => new Date(ms).toISOString();
  return {
    ...{ field, value, configured, since: time(sinceMs) },
    until: untilMs === undefined ? null : time(untilMs),
    ...{ by, reason: reason ?? null },
  };
}
