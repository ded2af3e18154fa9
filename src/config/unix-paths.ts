/** What stands in the way of a unix socket's path on this machine. */
import { lstatSync, type Stats, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Location } from './location.ts';

export interface Obstacle {
  readonly found: string;
  readonly remedy: string;
}

/** Why nobody can listen at the path; undefined where nothing but a socket is there, which may be replaced. */
export function obstacleAt(path: string): Obstacle | undefined {
  const folder = dirname(path);
  const stats = statsOf(folder, statSync);
  if (stats === undefined) return { found: `the folder ${folder} does not exist`, remedy: 'create it' };
  if (!stats.isDirectory()) return { found: `${folder} is no folder`, remedy: 'choose another path' };
  const found = noSocketIn(statsOf(path, lstatSync));
  return found === undefined ? undefined : { found, remedy: 'choose another path or remove it' };
}

/** What is there instead of a socket; undefined where one is, or nothing. */
function noSocketIn(stats: Stats | undefined): string | undefined {
  if (stats === undefined || stats.isSocket()) return undefined;
  if (stats.isDirectory()) return 'a folder is there';
  if (stats.isSymbolicLink()) return 'a symbolic link is there';
  return stats.isFile() ? 'a regular file is there' : 'something that is no socket is there';
}

/** Warns of a path where nobody can listen now; what a variable stands for is not shown. */
export function warnOfObstacle({ path }: { readonly path: string }, location: Location): void {
  const obstacle = obstacleAt(path);
  if (obstacle === undefined) return;
  const why = location.isSubstituted ? '' : `: ${obstacle.found}; ${obstacle.remedy}`;
  location.warn(`Nobody can listen there now${why}`);
}

/** Warns of a path where nobody can listen, so that a backend is never found there. A name may be made later. */
export function warnOfNoSocket({ path }: { readonly path: string }, location: Location): void {
  const found = noSocketIn(statsOf(path, statSync));
  if (found !== undefined) location.warn(`Nobody can be reached there now: ${found}, and no socket`);
}

/** Undefined where nothing is there, or nobody may look. */
function statsOf(path: string, read: (path: string) => Stats): Stats | undefined {
  try {
    return read(path);
  } catch {
    return undefined;
  }
}
