/**
 * What the tests of a file share: one sluice, given another configuration for each test, with listener and
 * pool names never used before, and books that must balance after each.
 */
import { readdirSync } from 'node:fs';
import { connect, type ListenOptions, type Socket, type TcpNetConnectOpts } from 'node:net';
import { afterAll, afterEach, expect } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { arrival, echo, ending, startBackend, type TestBackend } from '../support/backends.ts';
import { eventually, settled } from '../support/eventually.ts';
import { type BackendStatus, type LogLine, Sluice } from '../support/sluice.ts';

/** The parts of a configuration that a test is about. */
export interface Shape {
  readonly backends: readonly (string | object)[];
  /** Keys of the listener besides `bind` and `pool`; they win. */
  readonly listener?: object;
  readonly pool?: object;
  /** Other pools, which routes go to; their names may come again in other tests. */
  readonly pools?: Readonly<Record<string, object>>;
  /** Sections beside `listeners` and `pools`. */
  readonly more?: object;
}

export interface Setting {
  /** A command that starts another, as `prlimit --nofile=128`. */
  readonly wrap?: readonly string[];
  /** 1 where a test is about an order among sessions, which come to workers by chance. */
  readonly workers?: number | 'auto';
  /** Messages of errors that the tests are about. */
  readonly mayLog?: readonly string[];
}

export interface Pair {
  readonly proxy: Proxied;
  readonly client: Socket;
  /** The backend's end. */
  readonly server: Socket;
}

/** Tests of one file share a scene; it settles after each and ends with the file. */
export function openScene(setting: Setting = {}): Scene {
  const scene = new Scene(setting);
  // Longer than what it waits for may take, so that a failure says what it was.
  afterEach(() => scene.settle(), 60_000);
  afterAll(() => scene.end(), 60_000);
  return scene;
}

export class Scene {
  readonly #wrap: readonly string[];
  readonly #workers: number | 'auto';
  readonly #mayLog: readonly string[];
  readonly #backends: TestBackend[] = [];
  readonly #clients: Socket[] = [];
  readonly #afterwards: (() => unknown)[] = [];
  #running: Sluice | undefined;
  #proxies = 0;
  #descriptors = 0;

  constructor({ wrap = [], workers = 'auto', mayLog = [] }: Setting) {
    this.#mayLog = mayLog;
    this.#wrap = wrap;
    this.#workers = workers;
  }

  get sluice(): Sluice {
    if (this.#running === undefined) throw new Error('The test has no proxy yet');
    return this.#running;
  }

  async backend(serve: (socket: Socket) => void, where?: ListenOptions): Promise<TestBackend> {
    const backend = await startBackend(serve, where);
    this.#backends.push(backend);
    return backend;
  }

  /** A backend that has gone: its port refuses. */
  async deadBackend(): Promise<string> {
    return `127.0.0.1:${await freePort()}`;
  }

  /** Serves with this from now on. */
  async proxy(shape: Shape): Promise<Proxied> {
    const number = ++this.#proxies;
    const [listener, pool] = [`web-${number}`, `app-${number}`];
    const config = JSON.stringify({
      version: 1,
      workers: this.#workers,
      listeners: { [listener]: { bind: '127.0.0.1:0', pool, ...shape.listener } },
      pools: { [pool]: { backends: shape.backends, ...shape.pool }, ...shape.pools },
      admin: { bind: '127.0.0.1:0' },
      ...shape.more,
    });
    if (this.#running === undefined) this.#running = await started(Sluice.run(config, [], this.#wrap));
    else await this.#running.reload(config);
    this.#descriptors = await steadyDescriptors(this.#running);
    const { listeners } = await this.#running.status();
    const bind = listeners[listener]?.bind;
    return new Proxied(this.#running, listener, pool, typeof bind === 'string' ? bind : '');
  }

  /** A client that is connecting, and is gone after the test. */
  client(where: number | string | TcpNetConnectOpts): Socket {
    const options =
      typeof where === 'string'
        ? { path: where }
        : typeof where === 'number'
          ? { port: where, host: '127.0.0.1' }
          : where;
    const socket = connect({ ...options, allowHalfOpen: true, noDelay: true });
    socket.on('error', () => {});
    this.#clients.push(socket);
    return socket;
  }

  /** A session of its own proxy, seen from both ends. */
  async pair(shape: Omit<Shape, 'backends'> = {}): Promise<Pair> {
    const backend = await this.backend(() => {});
    const proxy = await this.proxy({ ...shape, backends: [backend.address] });
    const arriving = arrival(backend);
    const client = this.client(proxy.port);
    return { proxy, client, server: await arriving };
  }

  /** So many clients at once, each of which must get back what it alone has said. */
  async echoes(port: number, count: number): Promise<void> {
    const visits = Array.from({ length: count }, async (_, number) => {
      const client = this.client(port);
      client.end(`visit ${number}`);
      return (await ending(client)).text;
    });
    expect(await Promise.all(visits)).toEqual(visits.map((_, number) => `visit ${number}`));
  }

  /** Many more clients than there are places: each waits for its turn, is served, and finishes. */
  async echoesThroughQueue(places: number): Promise<void> {
    const backend = await this.backend(echo);
    const proxy = await this.proxy({
      backends: [{ address: backend.address, maxConnections: places }],
      pool: { limits: { queue: { size: 300, timeout: '1m' } } },
    });
    await this.echoes(proxy.port, 200);
    expect(backend.most).toBeLessThanOrEqual(places);
    expect(await proxy.ended(200)).toEqual({ finished: 200 });
  }

  /** Something of the test's own that must end with it. */
  afterwards(end: () => unknown): void {
    this.#afterwards.push(end);
  }

  /** All who came leave; then it must be as if nobody had ever been there, but for what was counted. */
  async settle(): Promise<void> {
    for (const client of this.#clients.splice(0)) {
      // Only TCP knows a reset.
      if (client.remotePort === undefined) client.destroy();
      else client.resetAndDestroy();
    }
    for (const end of this.#afterwards.splice(0)) await end();
    await Promise.all(this.#backends.splice(0).map((backend) => backend.close()));
    if (this.#running !== undefined) await expectSettled(this.#running, this.#descriptors, this.#mayLog);
  }

  async end(): Promise<void> {
    if (this.#running === undefined) return;
    this.#running.signal('SIGTERM');
    const exit = await this.#running.ended;
    await this.#running.stop();
    expect(exit, this.#running.stderr).toBe(0);
  }
}

/** One configuration as it runs. */
export class Proxied {
  readonly sluice: Sluice;
  readonly listener: string;
  readonly pool: string;
  readonly bind: string;

  constructor(sluice: Sluice, listener: string, pool: string, bind: string) {
    this.sluice = sluice;
    this.listener = listener;
    this.pool = pool;
    this.bind = bind;
  }

  get port(): number {
    return Number(this.bind.split(':').at(-1));
  }

  /** The log lines of the first so many sessions that are over. */
  async closed(count = 1): Promise<readonly LogLine[]> {
    await this.sluice.logged(() => this.#closed().length >= count);
    return this.#closed();
  }

  /** How sessions ended so far: reasons that occurred, with their counts. */
  async reasons(): Promise<Readonly<Record<string, number>>> {
    const prefix = `sluice_sessions_closed_total{listener="${this.listener}",reason="`;
    const counts = [...(await this.sluice.metrics())].filter(([name, n]) => name.startsWith(prefix) && n > 0);
    return Object.fromEntries(counts.map(([name, n]) => [name.slice(prefix.length, -2), n]));
  }

  /** The reasons once this many sessions are over. */
  ended(count: number): Promise<Readonly<Record<string, number>>> {
    return eventually(async () => {
      const reasons = await this.reasons();
      const sum = Object.values(reasons).reduce((total, one) => total + one, 0);
      expect(sum, JSON.stringify(reasons)).toBe(count);
      return reasons;
    });
  }

  async active(): Promise<number> {
    return (await this.sluice.status()).listeners[this.listener]?.active ?? Number.NaN;
  }

  async backends(): Promise<readonly BackendStatus[]> {
    return (await this.sluice.status()).pools[this.pool]?.backends ?? [];
  }

  /** The pool's only backend, or the one that stands there in the order of the file. */
  async backend(index = 0): Promise<BackendStatus> {
    const found = (await this.backends())[index];
    if (found === undefined) throw new Error(`The pool has no backend ${index}`);
    return found;
  }

  async queueLength(): Promise<number> {
    return (await this.sluice.status()).pools[this.pool]?.queue ?? Number.NaN;
  }

  #closed(): readonly LogLine[] {
    return this.sluice.sessions.filter((line) => line['listener'] === this.listener);
  }
}

/** The same process, all gauges at 0, accepted = closed by reason, descriptors as before, no error logged. */
export async function expectSettled(
  sluice: Sluice,
  descriptors: number,
  mayLog: readonly string[] = [],
): Promise<void> {
  expect([sluice.process.exitCode, sluice.process.signalCode], sluice.stderr).toEqual([null, null]);
  await eventually(async () => {
    const metrics = [...(await sluice.metrics())];
    const sum = (name: string): number =>
      metrics.filter(([series]) => series.startsWith(`${name}{`)).reduce((total, [, one]) => total + one, 0);
    for (const gauge of gauges) expect(sum(gauge), gauge).toBe(0);
    expect(sum('sluice_sessions_closed_total')).toBe(sum('sluice_listener_connections_total'));
  });
  await eventually(() => expect(openDescriptors(sluice)).toBeLessThanOrEqual(descriptors));
  const errors = sluice.lines.filter(({ level }) => level === 'error' || level === 'fatal');
  expect(errors.filter(({ msg = '' }) => !mayLog.includes(msg))).toEqual([]);
  expect(sluice.stderr).toBe('');
}

const gauges = [
  'sluice_listener_connections_active',
  'sluice_backend_connections_active',
  'sluice_pool_queue_length',
];

/** Threads that nobody waits for, since no listener is theirs yet, may come after the others. */
export async function started(starting: Promise<Sluice>): Promise<Sluice> {
  const sluice = await starting;
  await settled(() => openDescriptors(sluice));
  return sluice;
}

/** 0 on systems without /proc. */
export function openDescriptors({ pid }: Sluice): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}

/** The descriptors once the admin connection that has just been used is closed. */
function steadyDescriptors(sluice: Sluice): Promise<number> {
  return leastOf(3, () => openDescriptors(sluice));
}

/** Of so many looks: what is in use only now and then is none of it. */
export function leastOf(looks: number, look: () => number): Promise<number> {
  const seen: number[] = [];
  return eventually(() => {
    seen.push(look());
    if (seen.length < looks) throw new Error('Not looked often enough');
    return Math.min(...seen);
  });
}
