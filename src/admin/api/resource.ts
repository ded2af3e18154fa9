/**
 * What operators can change of pools, backends and listeners: each is looked at with GET and changed with PATCH, one
 * revision after the other, and has the same refusals.
 */
import {
  type Administered,
  type AdministeredListener,
  type AdministeredPool,
  revisionOf,
  StaleRevision,
  UnknownName,
} from '../../control/administered.ts';
import { BindError } from '../../control/bind-error.ts';
import type { Mark, Override } from '../../control/overrides.ts';
import { failure, json, type Reply } from '../http.ts';
import { mistaken, type ReadResult } from './fields.ts';
import type { ApiRequest, Route, RouteDeps } from './route.ts';

type ResourceState = Administered | AdministeredPool | AdministeredListener;

export interface Resource<State extends ResourceState, Wanted> {
  readonly path: string;
  /** As the parts of the path name it. Throws an UnknownName. */
  find(deps: RouteDeps, params: ApiRequest['params']): State;
  show(deps: RouteDeps, state: State): object;
  /** What a body asks for. */
  read(body: Buffer): ReadResult<Wanted>;
  /** Fulfils once that is so. Rejects with a StaleRevision, or a BindError. */
  change(deps: RouteDeps, change: ResourceChange<State, Wanted>): Promise<ChangeResult>;
}

export interface ResourceChange<State, Wanted> {
  readonly before: State;
  readonly wanted: Wanted;
  readonly request: ApiRequest;
}

/** What the audit line says besides; `status` is 200 unless it says otherwise. */
export interface ChangeResult {
  readonly status?: number;
  readonly reason: string | undefined;
  /** How many sessions were closed. */
  readonly closed?: number | undefined;
}

export function routesOf<State extends ResourceState, Wanted>(
  resource: Resource<State, Wanted>,
): { readonly get: Route; readonly patch: Route } {
  const { path } = resource;
  return {
    get: {
      path,
      method: 'GET',
      may: 'read',
      reply: (deps, { params }) => orRefusal(() => replyOf(resource, deps, resource.find(deps, params))),
    },
    patch: {
      path,
      method: 'PATCH',
      may: 'operate',
      hasRevision: true,
      body: { type: 'application/json', mostBytes: 4_096 },
      reply: (deps, request) =>
        orRefusal(async () => {
          const before = resource.find(deps, request.params);
          const read = resource.read(request.body);
          if (!read.ok) return mistaken(read.errors);
          expectRevision(request, before);
          const { status, ...told } = await resource.change(deps, { before, wanted: read.value, request });
          const after = resource.find(deps, request.params);
          const audit = { before: before.overrides, after: after.overrides, ...told };
          return { ...replyOf(resource, deps, after, status), audit };
        }),
    },
  };
}

/** Throws a StaleRevision where the request means another state than this. */
export function expectRevision({ revision }: Pick<ApiRequest, 'revision'>, state: ResourceState): void {
  if (revision !== undefined && revision !== revisionOf(state)) throw new StaleRevision();
}

/** It as it is now, with the revision that a change may name. */
export function replyOf<State extends ResourceState>(
  { show }: Pick<Resource<State, never>, 'show'>,
  deps: RouteDeps,
  state: State,
  status = 200,
): Reply {
  const revision = revisionOf(state);
  const shown = { ...show(deps, state), overrides: state.overrides.map(overrideView), revision };
  return json(status, shown, { etag: `"${revision}"` });
}

/** 404, with what is wrong with the name, 412 where somebody else was faster, 409 where an address can't be had. */
export async function orRefusal(reply: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await reply();
  } catch (error) {
    if (error instanceof UnknownName) return failure(404, error.message);
    if (error instanceof StaleRevision) return failure(412, error.message);
    if (error instanceof BindError) return failure(409, error.message);
    throw error;
  }
}

/** The mark of a change that is made now. */
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
