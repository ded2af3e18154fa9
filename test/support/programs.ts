/** Real programs: whether they are installed, and run to their end. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';

/** Titles of what is skipped without its programs. */
export const skippedWithout = (...programs: readonly string[]): string =>
  `(skipped where ${programs.join(' or ')} is not installed)`;

/** Servers of Debian lie where not every PATH looks. */
export const wideEnv = {
  ...process.env,
  PATH: [process.env['PATH'], '/usr/sbin', '/usr/local/sbin', ...postgresFolders()].join(':'),
};

export function installed(...programs: readonly string[]): boolean {
  return programs.every((program) => pathOf(program) !== undefined);
}

/** The whole path, which a program that starts itself again wants to know. */
export function pathOf(program: string): string | undefined {
  const { stdout } = spawnSync('sh', ['-c', 'command -v "$0"', program], { encoding: 'utf8', env: wideEnv });
  return stdout.trim() === '' ? undefined : stdout.trim();
}

function postgresFolders(): readonly string[] {
  const all = '/usr/lib/postgresql';
  return existsSync(all) ? readdirSync(all).map((version) => `${all}/${version}/bin`) : [];
}

export interface Said {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; one that takes longer than 20 s is killed and has no code. */
export async function run(
  program: string,
  args: readonly string[],
  { input = '', env = {} }: { readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Said> {
  const child = spawn(program, args, { env: { ...wideEnv, ...env }, timeout: 20_000, killSignal: 'SIGKILL' });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => {
    stdout += bytes.toString();
  });
  child.stderr.on('data', (bytes: Buffer) => {
    stderr += bytes.toString();
  });
  // Some end without having read it all.
  child.stdin.on('error', () => {}).end(input);
  const [code]: unknown[] = await once(child, 'close');
  return { code: typeof code === 'number' ? code : null, stdout, stderr };
}

/** The same for a program that must succeed; what it printed, without the last line's end. */
export async function output(...how: Parameters<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await run(...how);
  if (code !== 0) throw new Error(`${how[0]} ended with ${code}: ${stderr}${stdout}`);
  return stdout.trimEnd();
}

export interface UserIds {
  readonly uid?: number;
  readonly gid?: number;
}

/**
 * Servers that refuse to be root, or want to be able to become anybody as root, run as the user that comes with
 * PostgreSQL; nobody but root needs one. Undefined where there is no such user.
 */
export const modestUser: { readonly name: string; readonly ids: UserIds } | undefined = (() => {
  const ask = (flags: string): number =>
    Number(spawnSync('id', [flags, 'postgres'], { encoding: 'utf8' }).stdout || Number.NaN);
  if (process.getuid?.() !== 0) {
    return { name: spawnSync('id', ['-un'], { encoding: 'utf8' }).stdout.trim(), ids: {} };
  }
  const [uid, gid] = [ask('-u'), ask('-g')];
  return Number.isNaN(uid) ? undefined : { name: 'postgres', ids: { uid, gid } };
})();
