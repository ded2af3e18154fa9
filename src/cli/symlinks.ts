/** The links that a path goes through, one after the other, and where it ends. */
import { readlinkSync } from 'node:fs';
import { dirname, isAbsolute, join, parse, sep } from 'node:path';

export interface LinkedFile {
  /** The path with all links resolved; what does not exist counts as no link. */
  readonly file: string;
  readonly links: readonly { readonly path: string; readonly to: string }[];
}

/** As Linux has it (path_resolution(7)): where links go in a circle, opening the file will say so. */
const mostLinks = 40;

export function followLinks(path: string): LinkedFile {
  const links: { path: string; to: string }[] = [];
  let at = parse(path).root;
  let rest = path.slice(at.length).split(sep);
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '' || name === '.') continue;
    const next = name === '..' ? dirname(at) : join(at, name);
    const to = name === '..' || links.length === mostLinks ? undefined : targetOf(next);
    if (to === undefined) {
      at = next;
      continue;
    }
    links.push({ path: next, to });
    if (isAbsolute(to)) at = parse(to).root;
    rest = [...to.split(sep), ...rest];
  }
  return { file: at, links };
}

function targetOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
