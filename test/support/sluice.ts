/** The built executable as a process: started with a configuration, heard through its log, asked by HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export const executable = fileURLToPath(new URL('../../dist/bundle/main.js', import.meta.url));

/** The Node that runs the executable; CI names others. */
export const nodeBinary = process.env['SLUICE_NODE'] ?? process.execPath;

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string; readonly level?: unknown };

export interface Status {
  readonly version: string;
  readonly driver: string;
  readonly driverReason: string;
  readonly draining: boolean;
  readonly listeners: Readonly<
    Record<
      string,
      { readonly bind: unknown; readonly driver: string; readonly active: number; readonly total: number }
    >
  >;
  readonly pools: Readonly<Record<string, PoolStatus>>;
}

export interface PoolStatus {
  readonly queue: number;
  readonly names: readonly {
    readonly name: string;
    readonly resolved: string | null;
    readonly problem: string | null;
  }[];
  readonly backends: readonly BackendStatus[];
}

export interface BackendStatus {
  readonly address: string;
  readonly name: string | null;
  readonly weight: number;
  readonly backup: boolean;
  readonly health: string;
  readonly healthSince: string;
  readonly lastCheck: { readonly at: string; readonly pass: boolean; readonly detail: string } | null;
  readonly circuit: string;
  readonly circuitSince: string;
  readonly nextTrial: string | null;
  readonly lastError: { readonly at: string; readonly error: string } | null;
  readonly active: number;
  readonly total: number;
  readonly meanFirstByteMs: number | null;
  readonly closed: Readonly<Record<string, number>>;
  readonly dialFailures: number;
  readonly unavailable: string | null;
}

export class Sluice {
  /** Writes the configuration to a file of its own and starts `sluice run` with it; fulfils once it serves. */
  static async run(
    config: string,
    args: readonly string[] = [],
    wrap: readonly string[] = [],
  ): Promise<Sluice> {
    return Sluice.runIn(mkdtempSync(join(tmpdir(), 'sluice-test-')), config, args, wrap);
  }

  /** The same in a folder where the files are that the configuration names; it is removed in the end. */
  static async runIn(
    folder: string,
    config: string,
    args: readonly string[] = [],
    wrap: readonly string[] = [],
  ): Promise<Sluice> {
    const file = join(folder, 'sluice.yaml');
    writeFileSync(file, withDriver(config));
    const sluice = Sluice.spawn(['run', '-c', file, ...args], wrap, folder);
    try {
      await sluice.logged((line) => line.msg === 'serving');
    } catch (error) {
      await sluice.stop();
      throw error;
    }
    return sluice;
  }

  /** `program` is the executable, where another installation of it is to run. */
  static spawn(
    args: readonly string[],
    wrap: readonly string[] = [],
    folder?: string,
    program = executable,
  ): Sluice {
    const [command = nodeBinary, ...rest] = [...wrap, nodeBinary, program, ...args];
    return new Sluice(spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] }), folder);
  }

  readonly process: ChildProcess;
  /** All log lines so far. */
  readonly lines: LogLine[] = [];
  stdout = '';
  stderr = '';
  /** Fulfils with the exit code, or the signal's name where one ended it. */
  readonly ended: Promise<number | string>;
  readonly #folder: string | undefined;
  readonly #heard = new EventEmitter().setMaxListeners(0);
  #isOver = false;

  private constructor(child: ChildProcess, folder: string | undefined) {
    this.process = child;
    this.#folder = folder;
    if (child.stdout === null || child.stderr === null) throw new Error('Expected pipes');
    createInterface({ input: child.stdout }).on('line', (line) => this.#hear(line));
    child.stderr.on('data', (text: Buffer) => {
      this.stderr += text.toString();
    });
    this.ended = once(child, 'close').then(([code, signal]: unknown[]) => {
      this.#isOver = true;
      this.#heard.emit('line');
      return typeof code === 'number' ? code : String(signal);
    });
  }

  get configFile(): string {
    return join(this.#folder ?? '', 'sluice.yaml');
  }

  /** What stands in that file. */
  get config(): string {
    return readFileSync(this.configFile, 'utf8');
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The first log line, past or to come, that the claim holds for. */
  async logged(claim: (line: LogLine) => boolean, deadlineMs = 20_000): Promise<LogLine> {
    const deadline = AbortSignal.timeout(deadlineMs);
    for (;;) {
      const found = this.lines.find(claim);
      if (found !== undefined) return found;
      if (this.#isOver) throw new Error(`sluice ended before it logged that\n${this.stderr}${this.stdout}`);
      await once(this.#heard, 'line', { signal: deadline }).catch(() => {
        throw new Error(`Not logged within ${deadlineMs} ms, only:\n${this.stdout}${this.stderr}`);
      });
    }
  }

  /** The log lines of finished sessions. */
  get sessions(): readonly LogLine[] {
    return this.lines.filter((line) => line.msg === 'session closed');
  }

  /** The port that a listener is bound to. */
  port(listener: string): number {
    const line = this.lines.findLast((one) => one.msg === 'listening' && one['listener'] === listener);
    const [bind] = (line?.['bind'] ?? []) as readonly string[]; // Our own log's field.
    return Number(bind?.split(':').at(-1));
  }

  get adminPort(): number {
    const line = this.lines.find((one) => one.msg === 'admin API listening');
    return Number(String(line?.['bind']).split(':').at(-1));
  }

  /** With a token, where one is wanted. */
  async status(token = ''): Promise<Status> {
    const { body } = await this.ask('/api/v1/status', 'GET', { authorization: `Bearer ${token}` });
    return JSON.parse(body) as Status; // Checked by the tests of the admin API.
  }

  /** Asks the admin API, as `PATCH pools/app`, with a body in JSON, and reads the JSON that it answers with. */
  async api(request: string, body?: object, headers: Readonly<Record<string, string>> = {}) {
    const [method, path] = request.split(' ', 2);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const sent = body === undefined ? '' : JSON.stringify(body);
    const answer = await this.ask(`/api/v1/${path}`, method, { ...type, ...headers }, sent);
    return { code: answer.code, body: answer.body === '' ? undefined : JSON.parse(answer.body) };
  }

  ask(
    path: string,
    method = 'GET',
    headers: Readonly<Record<string, string>> = {},
    sent = '',
  ): Promise<{ readonly code: number; readonly body: string }> {
    const asked = { host: '127.0.0.1', port: this.adminPort, path, method, headers, agent: false };
    return new Promise((resolve, reject) => {
      request(asked, (response) => {
        let body = '';
        response.on('data', (text: Buffer) => {
          body += text.toString();
        });
        response.on('end', () => resolve({ code: response.statusCode ?? 0, body }));
      })
        .on('error', reject)
        .end(sent);
    });
  }

  /** Every series of `/metrics` with its value, in the order of the text. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { body } = await this.ask('/metrics');
    const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))];
      }),
    );
  }

  /** The value of one series, written as in the text format: `sluice_draining` or `name{label="x"}`. */
  async metric(series: string): Promise<number> {
    const { body } = await this.ask('/metrics');
    const line = body.split('\n').find((one) => one.startsWith(`${series} `));
    if (line === undefined) throw new Error(`There is no series ${series}`);
    return Number(line.slice(series.length + 1));
  }

  /** Serves with another configuration from now on, or reads the same one again; gives what the API says of it. */
  async reload(config?: string): Promise<object> {
    if (config !== undefined) this.rewrite(config);
    const { code, body } = await this.api('POST reload');
    if (code !== 200) throw new Error(`Not reloaded: ${JSON.stringify(body)}`);
    return body;
  }

  rewrite(config: string): void {
    writeFileSync(this.configFile, withDriver(config));
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
  }

  /** Ends it if it still runs, and cleans up. */
  async stop(): Promise<void> {
    if (!this.#isOver) this.process.kill('SIGKILL');
    await this.ended;
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true });
  }

  #hear(line: string): void {
    this.stdout += `${line}\n`;
    try {
      this.lines.push(JSON.parse(line) as LogLine); // Whatever it is, only known fields are looked at.
    } catch {
      // A line for people, as the demo prints.
    }
    this.#heard.emit('line');
  }
}

/** SLUICE_DRIVER names the driver for tests that don't ask for one themselves. */
function withDriver(config: string): string {
  const driver = process.env['SLUICE_DRIVER'];
  if (driver === undefined || /^driver:|"driver":/m.test(config)) return config;
  return config.startsWith('{')
    ? config.replace('{', `{"driver":"${driver}",`)
    : `driver: ${driver}\n${config}`;
}
