/** The scripts of `sluice completion` in the shells that they are for; those that are not installed are skipped. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { ran } from '../support/ran.ts';
import { executable, nodeBinary, Sluice } from '../support/sluice.ts';

const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
const log = join(folder, 'commands');
let sluice: Sluice;

beforeAll(async () => {
  const pools = {
    application: { backends: ['127.0.0.1:9001', '127.0.0.1:9302'] },
    other: { backends: ['127.0.0.1:9003'] },
  };
  sluice = await Sluice.run(
    JSON.stringify({
      version: 1,
      listeners: {
        web: { bind: '127.0.0.1:0', pool: 'application' },
        more: { bind: '127.0.0.1:0', pool: 'other' },
      },
      pools,
      admin: { bind: '127.0.0.1:0' },
    }),
  );
  // Completes as the real one, and notes what it is told to do.
  const real = `exec '${nodeBinary}' '${executable}' "$@"`;
  writeFileSync(
    join(folder, 'sluice'),
    `#!/bin/sh\ncase $1 in __complete | completion) ${real} ;; *) echo "$@" >>'${log}' ;; esac\n`,
  );
  chmodSync(join(folder, 'sluice'), 0o755);
});
afterAll(async () => {
  await sluice.stop();
  rmSync(folder, { recursive: true });
});

function environment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...{ PATH: `${folder}:${process.env['PATH']}`, SLUICE_ADMIN: String(sluice.adminPort), TERM: 'xterm' },
    ...{ HOME: folder, XDG_CONFIG_HOME: folder, XDG_DATA_HOME: folder, HISTFILE: '' },
  };
}

const isInstalled = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
/** Of util-linux; other systems have another script(1), or none. */
const hasScript = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');

/** An interactive shell, whose keys are typed. */
class Shell {
  readonly #child: ChildProcess;
  #said = '';

  constructor(command: string) {
    this.#child = spawn('script', ['-qfc', command, '/dev/null'], {
      env: environment(),
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#said += text;
    });
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  /** Runs a line, to its end. */
  async run(line: string): Promise<void> {
    const mark = `done-${Math.random().toString(36).slice(2)}`;
    this.#child.stdin?.write(`${line}; echo ${mark.replace('-', "'-'")}\n`);
    await eventually(() => expect(this.#said).toContain(mark));
  }

  /** What becomes of a line once the keys have been typed, and then Enter. */
  async completed(keys: string): Promise<string> {
    rmSync(log, { force: true });
    this.#child.stdin?.write(keys);
    // The shell is done with a key before it takes the next.
    this.#child.stdin?.write('\n');
    return eventually(() => {
      const line = existsSync(log) ? readFileSync(log, 'utf8') : '';
      expect(line).toMatch(/\n$/);
      return line.trimEnd();
    });
  }
}

const lines: readonly (readonly [keys: string, line: string])[] = [
  ['sluice dra\t', 'drain'],
  ['sluice drain app\t127.0.0.1:90\t--wa\t', 'drain application 127.0.0.1:9001 --wait'],
  ['sluice drain other \t', 'drain other 127.0.0.1:9003'],
  ['sluice sessions --pool oth\t--sta\tdia\t', 'sessions --pool other --state dialing'],
];

describe('sluice completion', () => {
  it.skipIf(!isInstalled('bash') || !hasScript)('completes in bash', async () => {
    const shell = new Shell('bash --norc --noprofile -i');
    await shell.run('bind "set enable-bracketed-paste off"; source <(sluice completion bash)');
    for (const [keys, line] of lines) expect(await shell.completed(keys)).toBe(line);
    // Bash has other words than we: it splits them at ":" and "=".
    expect(await shell.completed('sluice sessions --backend=127.0.0.1:93\t')).toBe(
      'sessions --backend=127.0.0.1:9302',
    );
    writeFileSync(join(folder, 'my-file.yaml'), '');
    await shell.run(`cd ${folder}`);
    expect(await shell.completed('sluice run -c my-f\t')).toBe('run -c my-file.yaml');
  });

  it.skipIf(!isInstalled('zsh') || !hasScript)('completes in zsh', async () => {
    const shell = new Shell('zsh -f -i');
    await shell.run(
      'unset zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source <(sluice completion zsh)',
    );
    for (const [keys, line] of lines) expect(await shell.completed(keys)).toBe(line);
    writeFileSync(join(folder, 'my-file.yaml'), '');
    await shell.run(`cd ${folder}`);
    expect(await shell.completed('sluice run -c my-f\t')).toBe('run -c my-file.yaml');
  });

  it.skipIf(!isInstalled('fish'))('completes in fish', () => {
    const complete = (line: string): readonly string[] => {
      const script = `sluice completion fish | source; complete -C '${line}'`;
      const { stdout } = spawnSync('fish', ['--no-config', '-c', script], {
        env: environment(),
        encoding: 'utf8',
        cwd: folder,
      });
      return stdout
        .trimEnd()
        .split('\n')
        .map((one) => one.split('\t')[0] ?? '');
    };
    expect(complete('sluice dra')).toEqual(['drain']);
    expect(complete('sluice drain ')).toEqual(['application', 'other']);
    expect(complete('sluice drain application ')).toEqual(['127.0.0.1:9001', '127.0.0.1:9302']);
    expect(complete('sluice sessions --pool=')).toEqual(['--pool=application', '--pool=other']);
    writeFileSync(join(folder, 'my-file.yaml'), '');
    expect(complete('sluice run -c my-f')).toEqual(['my-file.yaml']);
  });

  it('asks the running proxy for names, and the file where none runs', async () => {
    const asked = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
      (await ran(['__complete', ...args], env)).stdout.split('\n').map((line) => line.split('\t')[0]);
    const running = { SLUICE_ADMIN: String(sluice.adminPort) };
    expect(await asked(['drain', ''], running)).toEqual(['application', 'other', '']);
    expect(await asked(['drain', 'other', ''], running)).toEqual(['127.0.0.1:9003', '']);
    expect(await asked(['sessions', '--listener', 'm'], running)).toEqual(['more', '']);
    const file = join(folder, 'named.yaml');
    writeFileSync(
      file,
      'version: 1\nlisteners: { l: { bind: ":2", pool: db } }\npools: { db: { backends: [db.internal:5432] } }\nadmin: { bind: "127.0.0.1:1" }\n',
    );
    expect(await asked(['drain', '-c', file, ''], running)).toEqual(['db', '']);
    expect(await asked(['drain', '-c', file, 'db', ''], running)).toEqual(['db.internal:5432', '']);
    for (const nothing of [
      ['drain', '-c', 'missing.yaml', ''],
      ['drain', '--admin', 'nowhere', '-c', 'missing.yaml', ''],
    ]) {
      expect(await ran(['__complete', ...nothing], running)).toEqual({ exit: 0, stdout: '', stderr: '' });
    }
  });
});
