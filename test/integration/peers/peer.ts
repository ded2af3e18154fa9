/** Another server as a process, with a configuration of its own in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../support/eventually.ts';
import { type UserIds, wideEnv } from '../../support/programs.ts';

/** What a program says of itself when asked with `-v` or `-V`; undefined where it is not installed. */
export function versionOf(command: string, flag: '-v' | '-V'): string | undefined {
  const { error, stdout, stderr } = spawnSync(command, [flag], { encoding: 'utf8' });
  return error === undefined ? stdout + stderr : undefined;
}

export class Peer {
  readonly #user: UserIds;
  #folder: string | undefined;
  #process: ChildProcess | undefined;
  #said = '';

  constructor(user: UserIds = {}) {
    this.#user = user;
  }

  /** A place in its folder, which is removed when it stops. */
  path(name: string): string {
    this.#folder ??= this.#owned(mkdtempSync(join(tmpdir(), 'sluice-peer-')));
    return join(this.#folder, name);
  }

  /** A file that nobody else may read: so servers want their keys. */
  file(name: string, text: string): string {
    const path = this.path(name);
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return this.#owned(path);
  }

  /** Has a program make something that the server needs. */
  async prepare(command: string, args: readonly string[]): Promise<void> {
    const [code]: unknown[] = await once(this.#spawn(command, args), 'close');
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${this.#said}`);
  }

  /** Fulfils once something accepts at each of the ports and paths. */
  async start(command: string, args: readonly string[], where: readonly (number | string)[]): Promise<void> {
    const child = this.#spawn(command, args);
    this.#process = child;
    const ended = once(child, 'close').then(() => {
      throw new Error(`${command} ended: ${this.#said}`);
    });
    const ready = eventually(async () => {
      for (const place of where) await accepts(place);
    }, startDeadlineMs);
    // Whichever comes second is of no interest.
    for (const one of [ready, ended]) one.catch(() => {});
    try {
      await Promise.race([ready, ended]);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** A signal that lets a server end its own processes, where it has some. */
  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#process?.exitCode === null) {
      const exit = once(this.#process, 'exit');
      this.#process.kill(signal);
      await exit;
    }
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, {
      ...{ stdio: ['ignore', 'pipe', 'pipe'], env: wideEnv },
      ...this.#user,
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => {
        this.#said += text.toString();
      });
    }
    return child;
  }

  #owned(path: string): string {
    const { uid, gid } = this.#user;
    if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
    return path;
  }
}

/** Where nobody has run it for long, a large program comes from the disk: Prometheus has taken more than 15 s. */
const startDeadlineMs = 60_000;

async function accepts(where: number | string): Promise<void> {
  const socket = typeof where === 'number' ? connect(where, '127.0.0.1') : connect(where);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}
