/** `sluice top` in a pseudo-terminal, which script(1) makes; its shell tells how the terminal is afterwards. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { ran } from '../support/ran.ts';
import { executable, nodeBinary, Sluice } from '../support/sluice.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();

/** Of util-linux; other systems have another script(1), or none. */
const hasScript = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '');

interface WatchedOptions {
  readonly nodeOptions?: string;
  readonly token?: string;
  readonly env?: Readonly<Record<string, string>>;
}

class Watched {
  readonly #child: ChildProcess;
  readonly #pidFile: string;
  said = '';

  constructor(
    port: number,
    columns: number,
    { nodeOptions = '', token = '', env = {} }: WatchedOptions = {},
  ) {
    this.#pidFile = join(mkdtempSync(join(tmpdir(), 'sluice-test-')), 'pid');
    const top = `tty >'${this.#pidFile}.tty'; echo $$ >'${this.#pidFile}'; exec '${nodeBinary}' ${nodeOptions} '${executable}' top --admin ${port}`;
    const shell = `stty cols ${columns} rows 24; sh -c "${top.replaceAll(/["$]/g, '\\$&')}"; echo "ended $?"; stty -a`;
    this.#child = spawn('script', ['-qfc', shell, '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', SLUICE_ADMIN_TOKEN: token, ...env },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.said += text;
    });
    scene.afterwards(() => this.#child.kill('SIGKILL'));
  }

  /** What stands on the screen since it was drawn last. */
  get screen(): string {
    const drawn = this.said.split('\x1b[H').at(-1) ?? '';
    return drawn.replaceAll('\x1b[K', '').replaceAll('\x1b[J', '');
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(Number(readFileSync(this.#pidFile, 'utf8')), name);
  }

  resize(columns: number, rows: number): void {
    const tty = readFileSync(`${this.#pidFile}.tty`, 'utf8').trim();
    spawnSync('stty', ['-F', tty, 'cols', String(columns), 'rows', String(rows)]);
  }

  shows(what: RegExp): Promise<void> {
    return eventually(() => expect(this.screen).toMatch(what));
  }

  /** The exit code, once the terminal is known to be as it was: lines, echo, signals, its own screen and its cursor. */
  ended(): Promise<number> {
    return eventually(() => {
      const [, code] = /ended (\d+)/.exec(this.said) ?? [];
      expect(this.said.slice(this.said.indexOf('ended '))).toMatch(/[^-]icanon.*[^-]echo /s);
      expect(this.said).toMatch(/\sisig /);
      expect(this.said.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(this.said.lastIndexOf('\x1b[?1049h'));
      expect(this.said.lastIndexOf('\x1b[?25h')).toBeGreaterThan(this.said.lastIndexOf('\x1b[?25l'));
      return Number(code);
    });
  }
}

async function stage(): Promise<{ readonly proxy: Proxied; readonly addresses: readonly string[] }> {
  const backends = [await scene.backend(named('one')), await scene.backend(named('two'))];
  const addresses = backends.map(({ address }) => address);
  return { proxy: await scene.proxy({ backends: addresses }), addresses };
}

describe.skipIf(!hasScript)('sluice top in a terminal', () => {
  it('shows backends and sessions, drains a backend and has it back, and gives the terminal back', async () => {
    const { proxy, addresses } = await stage();
    const clients = [scene.client(proxy.port), scene.client(proxy.port)];
    for (const client of clients) await nextText(client);
    const top = new Watched(scene.sluice.adminPort, 80);
    await top.shows(new RegExp(`^> ${addresses[0]} +ready unknown closed +1 `, 'm'));
    for (const line of top.screen.split('\r\n')) expect(line.length).toBeLessThanOrEqual(80);
    top.type('d');
    await top.shows(/^drain app\S* \S+\? 1 sessions stay, 1 others take new ones\. y\/n$/m);
    top.type('y');
    await top.shows(new RegExp(`^> ${addresses[0]} +drain `, 'm'));
    top.type('s');
    await top.shows(new RegExp(`^w\\d\\S+ +127\\.0\\.0\\.1:\\d+ +relaying +${addresses[0]} `, 'm'));
    top.type('sry');
    await top.shows(new RegExp(`^> ${addresses[0]} +ready `, 'm'));
    top.type('q');
    expect(await top.ended()).toBe(0);
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('gives the terminal back at %s', async (signal) => {
    await stage();
    const top = new Watched(scene.sluice.adminPort, 60);
    await top.shows(/^> 127\.0\.0\.1/m);
    top.signal(signal);
    expect(await top.ended()).toBe(0);
  });

  it('is drawn anew as wide and high as its terminal has become', async () => {
    await stage();
    const top = new Watched(scene.sluice.adminPort, 80);
    await top.shows(/^pool, backend .* to client/m);
    top.resize(40, 8);
    await top.shows(/^pool, backend +state health *$/m);
    await eventually(() => expect(top.screen.split('\r\n').length).toBeLessThanOrEqual(8));
    for (const line of top.screen.split(/\r+\n/)) expect(line.length).toBeLessThanOrEqual(40);
    top.resize(200, 24);
    await top.shows(/^pool, backend .* takes none/m);
    top.type('q');
    expect(await top.ended()).toBe(0);
  });

  it.each([
    ['has colours', '', true],
    ['has none where NO_COLOR is set', '1', false],
  ])('%s', async (_, NO_COLOR, isColoured) => {
    await stage();
    const top = new Watched(scene.sluice.adminPort, 80, { env: { NO_COLOR } });
    await top.shows(/> 127\.0\.0\.1/);
    // Ready backends are green.
    await eventually(() => expect(top.screen.includes('\x1b[32m')).toBe(isColoured));
    top.type('q');
    expect(await top.ended()).toBe(0);
  });

  it('prints lines to a terminal that can not be drawn over', async () => {
    const { addresses } = await stage();
    const top = new Watched(scene.sluice.adminPort, 80, { env: { TERM: 'dumb' } });
    await eventually(() =>
      expect(top.said.split(`${addresses[0]} unknown, breaker closed`).length).toBeGreaterThan(2),
    );
    expect(top.said).not.toContain('\x1b');
    top.signal('SIGTERM');
    await eventually(() => expect(top.said).toContain('ended 0'));
  });

  it('says that the proxy is lost, and goes on once it is back', async () => {
    const { address } = await scene.backend(named('one'));
    const admin = await freePort();
    const config = JSON.stringify({
      version: 1,
      listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
      pools: { app: { backends: [address] } },
      admin: { bind: `127.0.0.1:${admin}` },
    });
    const first = await Sluice.run(config);
    onTestFinished(() => first.stop());
    const top = new Watched(admin, 80);
    await top.shows(/^> 127\.0\.0\.1/m);
    first.signal('SIGKILL');
    await top.shows(/^LOST: .* It is tried again/m);
    expect(top.screen).toMatch(/^> 127\.0\.0\.1/m);
    const second = await Sluice.run(config);
    onTestFinished(() => second.stop());
    await eventually(() => expect(top.screen).not.toContain('LOST'));
    top.type('q');
    expect(await top.ended()).toBe(0);
  });

  it('stops at Ctrl-Z with the terminal as it was, and goes on with fg', async () => {
    await stage();
    const shell = spawn('script', ['-qfc', 'bash --norc --noprofile -i', '/dev/null'], {
      env: { ...process.env, TERM: 'xterm', NO_COLOR: '1', PS1: 'ready> ' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    scene.afterwards(() => shell.kill('SIGKILL'));
    let said = '';
    shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const since = async (what: string): Promise<void> => {
      await eventually(() => expect(said).toContain(what));
      said = said.slice(said.indexOf(what) + what.length);
    };
    shell.stdin.write(
      `stty cols 80 rows 24; ${nodeBinary} ${executable} top --admin ${scene.sluice.adminPort}\n`,
    );
    await since('> 127.0.0.1');
    shell.stdin.write('\x1a');
    await since('\x1b[?1049l');
    await since('Stopped');
    shell.stdin.write('stty -a; echo again\n');
    await eventually(() => expect(said).toMatch(/\nagain/));
    expect(said).toMatch(/[^-]icanon.*[^-]echo /s);
    said = '';
    shell.stdin.write('fg\n');
    await since('\x1b[?1049h');
    await since('> 127.0.0.1');
    shell.stdin.write('q');
    await since('\x1b[?1049l');
    shell.stdin.write('echo ended=$?\n');
    await since('ended=0');
  });

  it('gives the terminal back when it dies of an error', async () => {
    await stage();
    const crash = `--import 'data:text/javascript,process.on("SIGUSR2",()=>{throw(Error(0))})'`;
    const top = new Watched(scene.sluice.adminPort, 80, { nodeOptions: crash });
    await top.shows(/^> 127\.0\.0\.1/m);
    top.signal('SIGUSR2');
    expect(await top.ended()).not.toBe(0);
    expect(top.said.slice(top.said.lastIndexOf('\x1b[?1049l'))).toContain('Error: 0');
  });

  it('only looks with a token that may only read, and says so', async () => {
    const { address } = await scene.backend(named('one'));
    const sluice = await Sluice.run(
      JSON.stringify({
        version: 1,
        listeners: { web: { bind: '127.0.0.1:0', pool: 'app' } },
        pools: { app: { backends: [address] } },
        admin: { bind: '127.0.0.1:0', tokens: [{ name: 'board', token: 'looks', may: 'read' }] },
      }),
    );
    onTestFinished(() => sluice.stop());
    const top = new Watched(sluice.adminPort, 80, { token: 'looks' });
    await top.shows(/^> 127\.0\.0\.1/m);
    top.type('dy');
    await top.shows(/^Expected a token that may operate; board may only read/m);
    expect((await sluice.status('looks')).pools['app']?.backends[0]?.unavailable).toBe(null);
    top.type('q');
    expect(await top.ended()).toBe(0);
  });
});

describe('sluice top without a terminal', () => {
  it('prints a line each second, or an object', async () => {
    const { addresses } = await stage();
    const [first, second] = addresses;
    for (const [args, line] of [
      [[], new RegExp(`^${first} unknown, breaker closed, 0 active, 0 served \\| ${second} `)],
      [['--json'], /^\{.*"rates":/],
    ] as const) {
      const child = spawn(
        nodeBinary,
        [executable, 'top', '--admin', String(scene.sluice.adminPort), ...args],
        {
          stdio: ['ignore', 'pipe', 'ignore'],
        },
      );
      scene.afterwards(() => child.kill('SIGKILL'));
      let said = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await eventually(() => expect(said.split('\n').length).toBeGreaterThan(2));
      expect(said).toMatch(line);
      expect(said).not.toContain('\x1b');
      child.kill('SIGTERM');
      await eventually(() => expect([child.exitCode, child.signalCode]).toEqual([0, null]));
    }
  });

  it('ends with 1 where no proxy is there', async () => {
    const { exit, stderr } = await ran(['top', '--admin', '127.0.0.1:1']);
    expect([exit, stderr]).toEqual([1, expect.stringContaining('No sluice answers at 127.0.0.1:1')]);
  });
});
