import { UnknownName } from '../../control/administration.ts';
import { RefusedError } from './admin-client.ts';

/** The name, if the proxy has it; throws a RefusedError that has the nearest one. */
export function knownName(
  what: 'pool' | 'backend' | 'listener',
  name: string,
  known: readonly string[],
): string {
  if (known.includes(name)) return name;
  throw new RefusedError(new UnknownName(what, name, known).message);
}
