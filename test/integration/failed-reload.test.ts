/** A reload that fails, at whatever step, leaves all as it was; and addresses change hands without a lost client. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort } from '../../bench/stage/free-ports.ts';
import { whyNot } from '../../src/drivers/uring/probe.ts';
import { named, startBackend, type TestBackend } from '../support/backends.ts';
import { Sluice } from '../support/sluice.ts';

const running: Sluice[] = [];
const backends: TestBackend[] = [];
const servers: Server[] = [];
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((sluice) => sluice.stop()));
  await Promise.all(backends.splice(0).map((backend) => backend.close()));
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Shape {
  /** By name: where it listens, and whether it has a pool that is dialed over TLS, which io_uring can't serve. */
  readonly listeners: Readonly<Record<string, { readonly bind: string; readonly mixed?: boolean }>>;
  readonly workers?: number;
  readonly admin?: string;
}

describe.each(whyNot() === undefined ? (['uring', 'portable'] as const) : (['portable'] as const))(
  'with the %s driver',
  (driver) => {
    const configOf = ({ listeners, workers = 2, admin = '127.0.0.1:0' }: Shape): string =>
      JSON.stringify({
        version: 1,
        driver,
        workers,
        listeners: Object.fromEntries(
          Object.entries(listeners).map(([name, { bind, mixed }]) => [
            name,
            {
              bind,
              pool: 'app',
              routes: mixed ? [{ when: { client: ['192.0.2.0/24'] }, pool: 'secure' }] : [],
            },
          ]),
        ),
        pools: {
          app: { backends: backends.map(({ address }) => address) },
          secure: { backends: ['127.0.0.1:9'], connect: { tls: {} } },
        },
        admin: { bind: admin, ...(admin.startsWith('0.0.0.0') ? { token: 'secret' } : {}) },
      });

    const run = async (shape: Shape): Promise<Sluice> => {
      if (backends.length === 0) backends.push(await startBackend(named('ok')));
      const sluice = await Sluice.run(configOf(shape));
      running.push(sluice);
      return sluice;
    };

    /** Asked where the admin API was when it started; a connection of its own, which answers to the end. */
    const reload = async (sluice: Sluice, shape: Shape): Promise<number> => {
      sluice.rewrite(configOf(shape));
      return (await sluice.api('POST reload')).code;
    };

    it('a unix socket whose move fails stays with its listener', async () => {
      const path = join(folder(), 'web');
      const sluice = await run({ listeners: { web: { bind: `unix:${path}` } } });
      const taken = await listeningServer('127.0.0.1');
      const failing = {
        web: { bind: `unix:${path}`, mixed: true },
        other: { bind: `127.0.0.1:${portOf(taken)}` },
      };
      expect(await reload(sluice, { listeners: failing })).toBe(422);
      expect(await visited({ path })).toBe('ok');
      expect(await reload(sluice, { listeners: { web: failing.web } })).toBe(200);
      expect(await visited({ path })).toBe('ok');
      expect(await reload(sluice, { listeners: { web: { bind: `unix:${path}` } } })).toBe(200);
      expect(await visited({ path })).toBe('ok');
      sluice.signal('SIGTERM');
      expect(await sluice.ended).toBe(0);
      expect(existsSync(path)).toBe(false);
    });

    it.skipIf(linkLocal === undefined)('a link-local address stays when it changes its driver', async () => {
      const sluice = await run({ listeners: { web: { bind: `[${linkLocal}]:0` } } });
      const port = sluice.port('web');
      for (const mixed of [true, false]) {
        expect(await reload(sluice, { listeners: { web: { bind: `[${linkLocal}]:0`, mixed } } })).toBe(200);
        expect(await visited({ host: String(linkLocal), port })).toBe('ok');
        expect((await sluice.status()).listeners['web']?.bind).toBe(`[${linkLocal}]:${port}`);
      }
    });

    it.each([2, 1])('every address and one of them change places, with %i workers', async (workers) => {
      const port = await freePort();
      const sluice = await run({ workers, listeners: { web: { bind: `0.0.0.0:${port}` } } });
      for (const host of ['127.0.0.1', '0.0.0.0', '[::]', '127.0.0.1', '[::]', '0.0.0.0']) {
        const bind = `${host}:${port}`;
        expect(await reload(sluice, { workers, listeners: { web: { bind } } })).toBe(200);
        expect((await sluice.status()).listeners['web']?.bind).toBe(bind);
        expect(await visited({ host: '127.0.0.1', port })).toBe('ok');
      }
    });

    it('a failed reload that narrows an address leaves it as wide as it was', async () => {
      const port = await freePort();
      const sluice = await run({ listeners: { web: { bind: `0.0.0.0:${port}` } } });
      const taken = await listeningServer('127.0.0.1');
      const failing = {
        web: { bind: `127.0.0.1:${port}` },
        other: { bind: `127.0.0.1:${portOf(taken)}` },
      };
      expect(await reload(sluice, { listeners: failing })).toBe(422);
      expect((await sluice.status()).listeners['web']?.bind).toBe(`0.0.0.0:${port}`);
      for (const host of ['127.0.0.1', '127.0.0.2']) expect(await visited({ host, port })).toBe('ok');
    });

    it('a listener takes the port that the admin API leaves, and the other way round', async () => {
      const [one, two, three] = [await freePort(), await freePort(), await freePort()];
      const shape = (web: number, admin: number): Shape => ({
        listeners: { web: { bind: `0.0.0.0:${web}` } },
        admin: `127.0.0.1:${admin}`,
      });
      const sluice = await run(shape(one, two));
      const taken = await listeningServer('127.0.0.1');
      const steps: readonly (readonly [from: readonly [number, number], to: readonly [number, number]])[] = [
        [
          [one, two],
          [two, three],
        ],
        [
          [two, three],
          [two, one],
        ],
        [
          [two, one],
          [one, two],
        ],
      ];
      for (const [[web, admin], to] of steps) {
        const failing = shape(...to);
        const other = { bind: `127.0.0.1:${portOf(taken)}` };
        sluice.rewrite(configOf({ ...failing, listeners: { ...failing.listeners, other } }));
        expect(await posted(admin)).toBe(422);
        expect(await visited({ host: '127.0.0.1', port: web })).toBe('ok');
        sluice.rewrite(configOf(shape(...to)));
        expect(await posted(admin)).toBe(200);
        expect(await visited({ host: '127.0.0.1', port: to[0] })).toBe('ok');
      }
    });

    it('the listener that has left for the admin API in vain comes back', async () => {
      const taken = await listeningServer('127.0.0.1');
      const [port, admin] = [portOf(taken), await freePort()];
      const sluice = await run({
        listeners: { web: { bind: `127.0.0.2:${port}` } },
        admin: `127.0.0.1:${admin}`,
      });
      // Only when the listener is gone it shows that somebody else is there, too.
      const failing = {
        listeners: { web: { bind: `127.0.0.2:${await freePort()}` } },
        admin: `0.0.0.0:${port}`,
      };
      sluice.rewrite(configOf(failing));
      for (let times = 0; times < 2; times++) {
        expect(await posted(admin)).toBe(422);
        expect(await visited({ host: '127.0.0.2', port })).toBe('ok');
      }
    });

    it('listeners trade addresses', async () => {
      const [one, two] = [await freePort(), await freePort()];
      const sluice = await run({
        listeners: { a: { bind: `127.0.0.1:${one}` }, b: { bind: `0.0.0.0:${two}` } },
      });
      const traded = { a: { bind: `127.0.0.1:${two}` }, b: { bind: `0.0.0.0:${one}` } };
      expect(await reload(sluice, { listeners: traded })).toBe(200);
      const { listeners } = await sluice.status();
      expect([listeners['a']?.bind, listeners['b']?.bind]).toEqual([traded.a.bind, traded.b.bind]);
      for (const port of [one, two]) expect(await visited({ host: '127.0.0.1', port })).toBe('ok');
    });
  },
);

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  folders.push(made);
  return made;
}

async function listeningServer(host: string): Promise<Server> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  servers.push(server);
  return server;
}

/** The status of a reload that is asked for there. */
function posted(port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = { host: '127.0.0.1', port, path: '/api/v1/reload', method: 'POST', agent: false };
    request(asked, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    })
      .on('error', reject)
      .end();
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port');
  return address.port;
}

/** What the backend says, or the error's code. */
function visited(where: { readonly host: string; readonly port: number } | { readonly path: string }) {
  return new Promise<string>((resolve) => {
    const client = connect({ ...where });
    client.once('data', (bytes: Buffer) => {
      resolve(bytes.toString());
      client.destroy();
    });
    client.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    client.on('close', () => resolve('closed'));
  });
}

const linkLocal = Object.entries(networkInterfaces())
  .flatMap(([zone, addresses = []]) => addresses.map(({ address }) => `${address}%${zone}`))
  .find((address) => address.startsWith('fe80:'));
