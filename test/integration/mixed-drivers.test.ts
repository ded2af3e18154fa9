import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { echo, ending, startBackend, type TestBackend } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { nodeBinary, Sluice } from '../support/sluice.ts';

const [major = 0, minor = 0] = execFileSync(nodeBinary, ['-p', 'process.versions.node'], { encoding: 'utf8' })
  .split('.')
  .map(Number);
const portableSharesPorts = major > 23 || (major >= 22 && minor >= (major === 22 ? 12 : 1));
const portableWorkers = portableSharesPorts ? 2 : 1;

/** Where OpenSSL is not to be had, uring refuses TLS. */
const hideOpenSsl = new URL('../support/hide-openssl.mjs', import.meta.url).href;
const withoutOpenSsl = ['env', `NODE_OPTIONS=--import=${hideOpenSsl}`];

describe.skipIf(whyNot() !== undefined)('Two drivers in one process (skipped without io_uring)', () => {
  const running: Sluice[] = [];
  const backends: TestBackend[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((sluice) => sluice.stop()));
    await Promise.all(backends.splice(0).map((backend) => backend.close()));
  });

  it('serve each the listeners that they can, under the same limits', async () => {
    const backend = await started();
    const sluice = await run({ backend, maxConnections: 2, listeners: { plain: false, mixed: true } });
    const { driver, listeners } = await sluice.status();
    expect([driver, listeners['plain']?.driver, listeners['mixed']?.driver]).toEqual([
      'uring',
      'uring',
      'portable',
    ]);
    const held = ['plain', 'mixed'].map((name) => connect(sluice.port(name), '127.0.0.1'));
    await eventually(() => expect(backend.total).toBe(2));
    for (const name of ['plain', 'mixed']) {
      expect(await ending(connect(sluice.port(name), '127.0.0.1'))).toEqual({ text: '', reset: true });
    }
    expect(backend.total).toBe(2);
    const texts = held.map((client) => ending(client).then(({ text }) => text));
    for (const client of held) client.end('hello');
    expect(await Promise.all(texts)).toEqual(['hello', 'hello']);
    await eventually(async () => {
      const { app } = (await sluice.status()).pools;
      expect(app?.backends[0]?.active).toBe(0);
    });
    sluice.signal('SIGTERM');
    expect(await sluice.ended, sluice.stderr).toBe(0);
  });

  it('start the other one when a reload brings its first listener, and not before', async () => {
    const backend = await started();
    const sluice = await run({ backend, listeners: { plain: false } });
    expect(sluice.stdout).not.toContain('another driver');
    await sluice.reload(configOf({ backend, listeners: { plain: false, mixed: true } }));
    await sluice.logged(({ msg }) => msg === 'workers of another driver started, for listeners with TLS');
    const { listeners } = await sluice.status();
    expect(listeners['mixed']?.driver).toBe('portable');
    expect(await visited(portOf(listeners['mixed']?.bind))).toBe('hello');
    expect(await visited(sluice.port('plain'))).toBe('hello');
  });

  it('hand a listener to each other when a reload changes what it needs, and it keeps its address', async () => {
    const backend = await started();
    const sluice = await run({ backend, listeners: { web: false } });
    const port = sluice.port('web');
    for (const isMixed of [true, false, true]) {
      await sluice.reload(configOf({ backend, listeners: { web: isMixed } }));
      const { web } = (await sluice.status()).listeners;
      expect([web?.driver, portOf(web?.bind)]).toEqual([isMixed ? 'portable' : 'uring', port]);
      expect(await visited(port)).toBe('hello');
      // Of workers that let go of it, none listens there any more.
      expect(listeningOn(port)).toBe(isMixed ? portableWorkers : 2);
    }
    expect(sluice.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('leave a listener where it is when the reload that would have moved it fails', async () => {
    const backend = await started();
    const sluice = await run({ backend, listeners: { web: false } });
    const port = sluice.port('web');
    sluice.rewrite(configOf({ backend, listeners: { web: true, other: false }, otherBind: backend.address }));
    expect((await sluice.api('POST reload')).code).toBe(422);
    expect((await sluice.status()).listeners['web']?.driver).toBe('uring');
    expect(listeningOn(port)).toBe(2);
    expect(await visited(port)).toBe('hello');
  });

  it.skipIf(!portableSharesPorts)(
    'refuse nobody meanwhile (skipped where Node can not share a port between threads)',
    async () => {
      const backend = await started();
      const sluice = await run({ backend, listeners: { web: false } });
      const port = sluice.port('web');
      const answers = new Map<string, number>();
      let isOver = false;
      const visitors = Array.from({ length: 8 }, async () => {
        while (!isOver) {
          const answer = await visited(port);
          answers.set(answer, (answers.get(answer) ?? 0) + 1);
        }
      });
      for (let turn = 1; turn <= 6; turn++) {
        await sluice.reload(configOf({ backend, listeners: { web: turn % 2 === 1 } }));
      }
      isOver = true;
      await Promise.all(visitors);
      expect([...answers.keys()], JSON.stringify([...answers])).toEqual(['hello']);
    },
  );

  async function started(): Promise<TestBackend> {
    const backend = await startBackend(echo);
    backends.push(backend);
    return backend;
  }

  async function run(shape: Shape): Promise<Sluice> {
    const sluice = await Sluice.run(configOf(shape), [], withoutOpenSsl);
    running.push(sluice);
    return sluice;
  }
});

interface Shape {
  readonly backend: TestBackend;
  readonly maxConnections?: number;
  /** By name, whether one needs the portable driver: it has a route, taken by nobody, to a pool with TLS. */
  readonly listeners: Readonly<Record<string, boolean>>;
  /** Where the one called `other` binds. */
  readonly otherBind?: string;
}

function configOf({ backend, maxConnections, listeners, otherBind }: Shape): string {
  const routes = [{ when: { client: ['192.0.2.0/24'] }, pool: 'secure' }];
  return JSON.stringify({
    version: 1,
    driver: 'uring',
    workers: 2,
    listeners: Object.fromEntries(
      Object.entries(listeners).map(([name, isMixed]) => [
        name,
        {
          bind: (name === 'other' ? otherBind : undefined) ?? '127.0.0.1:0',
          pool: 'app',
          ...(isMixed ? { routes } : {}),
        },
      ]),
    ),
    pools: {
      app: { backends: [backend.address], limits: { maxConnections: maxConnections ?? 'unlimited' } },
      secure: { backends: ['127.0.0.1:9'], connect: { tls: {} } },
    },
    admin: { bind: '127.0.0.1:0' },
  });
}

/** What comes back from an echo, or the error's code. */
function visited(port: number): Promise<string> {
  return new Promise((resolve) => {
    const client = connect(port, '127.0.0.1');
    let text = '';
    client.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    client.on('close', () => resolve(text));
    client.end('hello');
  });
}

/** How many sockets listen on a port: `/proc/net/tcp` has its state, 0A, behind two addresses in hexadecimal. */
function listeningOn(port: number): number {
  const hexadecimal = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = new RegExp(`^ *\\d+: [0-9A-F]{8}:${hexadecimal} \\S+ 0A `, 'gm');
  return readFileSync('/proc/net/tcp', 'utf8').match(listening)?.length ?? 0;
}

function portOf(bind: unknown): number {
  return Number(String(bind).split(':').at(-1));
}
