/** sluice as `npm install` leaves it: the files that are packed, and the packages that these need. */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './pages.ts';

/**
 * Makes it in a folder that exists, and gives the path of the executable. No optional package is there but `copied`.
 */
export function installIn(folder: string, copied: readonly string[] = []): string {
  const packages = join(folder, 'node_modules');
  mkdirSync(packages);
  for (const path of packedFiles()) cpSync(join(root, path), join(folder, path));
  const { bin, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly bin: { readonly sluice: string };
    readonly dependencies: Readonly<Record<string, string>>;
  };
  for (const name of Object.keys(dependencies)) {
    symlinkSync(join(root, 'node_modules', name), join(packages, name), 'dir');
  }
  for (const name of copied) {
    cpSync(join(root, 'node_modules', name), join(packages, name), { recursive: true });
  }
  return join(folder, bin.sluice);
}

function packedFiles(): readonly string[] {
  packed ??= execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  // A list of packages or, from npm 11.6 on, a mapping of them by name.
  const [sluice] = Object.values(JSON.parse(packed)) as readonly { files: readonly { path: string }[] }[];
  return sluice?.files.map(({ path }) => path) ?? [];
}

let packed: string | undefined;
