/** Lines about names and listeners whose wording depends on what there was before. */
import type { Logger } from 'pino';
import type { NameState } from './discovery/discovery.ts';

export function logNameState(
  logger: Logger,
  name: string,
  pools: readonly string[],
  { problem, isPartial, addresses }: NameState,
): void {
  const fields = { name, pools, problem, addresses };
  if (problem === undefined) logger.info(fields, 'name resolves again');
  else if (isPartial) logger.warn(fields, 'name resolves in part');
  else if (addresses.length === 0) logger.warn(fields, 'name does not resolve');
  else logger.warn(fields, 'name does not resolve, the addresses it had are kept');
}

/** Where each listener is bound, by name. */
type Bound = ReadonlyMap<string, readonly string[]>;

/** Where listeners accept no more, and where they do from now on. */
export function logBound(logger: Logger, before: Bound, after: Bound): void {
  for (const [listener, bind] of missing(before, after)) logger.info({ listener, bind }, 'closed');
  for (const [listener, bind] of missing(after, before)) logger.info({ listener, bind }, 'listening');
}

/** What the other has not. */
function missing(
  bound: Bound,
  other: Bound,
): readonly (readonly [listener: string, bind: readonly string[]])[] {
  return [...bound]
    .map(([listener, all]) => [listener, all.filter((one) => !other.get(listener)?.includes(one))] as const)
    .filter(([, bind]) => bind.length > 0);
}
