/** Runs the steps of a page in one bash, in a folder that looks like that of sluice. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Step } from './page.ts';

/** What a block did. Both are undefined where it did not end, and for other steps. */
export interface Outcome {
  readonly status: number | undefined;
  readonly output: string | undefined;
}

/** Of each step. What has not ended in time is killed. */
export async function runSteps(
  steps: readonly Step[],
  root: string,
  timeoutMs: number,
): Promise<readonly Outcome[]> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'));
  try {
    const dir = join(folder, 'blocks');
    mkdirSync(dir);
    const tools = toolsIn(join(folder, 'tools'), root, dir);
    const script = join(dir, 'script');
    writeFileSync(script, scriptOf(steps, dir, installationIn(join(folder, 'sluice'), root), root));
    await ended(bash(script, tools), timeoutMs);
    return steps.map((_, index) => {
      const [status, output] = [textIn(join(dir, `status-${index}`)), textIn(join(dir, `output-${index}`))];
      return { status: status === undefined ? undefined : Number(status), output };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Writes the steps beside it, each in a file of its own. */
function scriptOf(steps: readonly Step[], dir: string, folder: string, root: string): string {
  const commands = steps.map((step, index) => commandOf(step, index, dir));
  return [`dir='${dir}'`, `source '${root}scripts/docs/prelude.sh'`, `cd '${folder}'`, ...commands].join(
    '\n',
  );
}

function commandOf(step: Step, index: number, dir: string): string {
  if (step.kind === 'section-end') return 'end_section';
  const file = join(dir, `block-${index}`);
  if (step.kind === 'file') {
    writeFileSync(file, step.text);
    return `cp '${file}' '${step.name}'`;
  }
  writeFileSync(file, step.code);
  return `${step.keepsTerminal ? 'keep_terminal' : 'block'} ${index}`;
}

/** What a block may change is a copy. */
function installationIn(folder: string, root: string): string {
  mkdirSync(folder);
  for (const part of ['dist', 'node_modules']) symlinkSync(join(root, part), join(folder, part), 'dir');
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  const isOwn = (path: string): boolean => !path.endsWith('/certs');
  cpSync(join(root, 'config'), join(folder, 'config'), { recursive: true, filter: isOwn });
  return folder;
}

/** The commands that the pages have and that are to do something else here. */
function toolsIn(folder: string, root: string, dir: string): string {
  mkdirSync(folder);
  const write = (name: string, script: string): void =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}`, { mode: 0o755 });
  const main = `'${process.execPath}' '${join(root, 'dist/bundle/main.js')}'`;
  write(
    'sluice',
    `case $1 in
  run | forward | demo) exec ${main} "$@" >"${dir}/log-$$" 2>&1 ;;
  *) exec ${main} "$@" ;;
esac
`,
  );
  // It is installed, built and on the path.
  write('npm', 'case $1 in start) exec sluice demo ;; esac\n');
  return folder;
}

/** In namespaces where that is allowed: then no port is taken, and nothing is left running. */
function bash(script: string, tools: string): ChildProcess {
  const isolated = ['unshare', '--net', '--pid', '--fork', '--kill-child', 'bash', '-c'];
  const [program = '', ...args] = [...isolated, `ip link set lo up && exec bash '${script}'`];
  const isAllowed = spawnSync(program, [...args.slice(0, -1), 'ip link set lo up']).status === 0;
  return spawn(isAllowed ? program : 'bash', isAllowed ? args : [script], {
    env: { ...process.env, PATH: `${tools}:${process.env['PATH']}` },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
}

async function ended(bash: ChildProcess, timeoutMs: number): Promise<void> {
  const kill = (): void => {
    if (bash.pid !== undefined) process.kill(-bash.pid, 'SIGKILL');
  };
  const timer = setTimeout(kill, timeoutMs);
  await once(bash, 'exit');
  clearTimeout(timer);
}

function textIn(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
