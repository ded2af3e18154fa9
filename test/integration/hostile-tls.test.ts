/**
 * Clients and backends that break TLS in their handshake or in their stream, beside sessions that must not notice.
 * SLUICE_FUZZ is how many come, SLUICE_SEED what they do.
 */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { describe, expect, it } from 'vitest';
import { usage } from '../../bench/stage/usage.ts';
import type { StartTls } from '../../src/drivers/tls/engine.ts';
import { whyNotOpenSsl } from '../../src/drivers/tls/openssl/probe.ts';
import { listenerTls } from '../core/harness.ts';
import { echo, nextText } from '../support/backends.ts';
import { authority } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { type Attack, Hostile, tricks } from '../support/hostile-tls.ts';
import { seeded } from '../support/seeded.ts';
import { openScene, type Proxied } from './scene.ts';

const lives = Number(process.env['SLUICE_FUZZ'] ?? 160);
const seed = Number(process.env['SLUICE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** So many of them at a time. */
const crowd = 16;

const ca = authority('an authority');
const pair = ca.issue({ names: ['service.example'] });
const asClient: StartTls = {
  kind: 'start-tls',
  link: 0,
  as: 'client',
  tls: { servername: undefined, ca: ca.cert, verify: true, ...ca.issue({ commonName: 'a client' }) },
  address: { host: '127.0.0.1', port: 443 },
  serverName: 'service.example',
  first: undefined,
};
const asServer: StartTls = {
  kind: 'start-tls',
  link: 0,
  as: 'server',
  tls: { ...listenerTls, certificates: [pair] },
  serverName: undefined,
};

describe.skipIf(whyNotOpenSsl() !== undefined)(`Peers that break TLS (seed ${seed})`, () => {
  const scene = openScene();
  const random = seeded(seed);

  it(
    'harm nobody else, and leave nothing behind',
    async () => {
      const hostile = await scene.backend((socket) => void new Hostile(socket, asServer, attack(), random));
      const proxy = await start(hostile.address);
      const good = Array.from({ length: 8 }, () => asking(proxy));
      for (const one of good) await one.isAnswered();
      await attacks(proxy.port, lives / 4);
      const before = residentMegabytes(proxy);
      await attacks(proxy.port, lives);
      await eventually(() => expect(residentMegabytes(proxy)).toBeLessThan(before + 40));
      for (const one of good) await one.isAnswered();
      // Who comes now is served as who came first.
      await asking(proxy).isAnswered();
      expect(Object.keys(await proxy.reasons())).toContain('tls-failed');
      expect(hostile.total).toBeGreaterThan(lives / 4);
    },
    120_000 + lives * 500,
  );

  function asking({ port }: Proxied): Asking {
    const client = new Asking(port);
    scene.afterwards(() => client.end());
    return client;
  }

  /** TLS on both sides; who asks for `hostile.example` is led to that backend. */
  async function start(hostile: string): Promise<Proxied> {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    scene.afterwards(() => rmSync(folder, { recursive: true }));
    const file = (name: string, content: string): string => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    const clientCa = file('ca.pem', ca.cert);
    const certificates = [{ cert: file('a.pem', pair.cert), key: file('a.key', pair.key) }];
    const connect = { tls: { ca: clientCa, servername: 'service.example' }, retries: 0 };
    return scene.proxy({
      backends: [await secureEcho()],
      listener: {
        tls: { certificates, clientAuth: 'optional', clientCa },
        routes: [{ when: { sni: 'hostile.example' }, pool: 'hostile' }],
      },
      pool: { connect },
      pools: { hostile: { backends: [hostile], connect, circuitBreaker: 'off' } },
      // As little as there can be.
      more: { memory: { buffers: '8MiB' } },
    });
  }

  async function secureEcho(): Promise<string> {
    const server = tls.createServer(pair, (socket) => {
      socket.on('error', () => {});
      echo(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    scene.afterwards(() => server.close());
    // A TCP server has one.
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  function attack(): Attack {
    const names = Object.keys(tricks);
    const trick = tricks[names[Math.floor(random() * names.length)] ?? ''];
    if (trick === undefined) throw new Error('There are tricks');
    return { trick, at: Math.floor(random() * 4), isOfTls12: random() < 0.5 };
  }

  async function attacks(port: number, count: number): Promise<void> {
    let begun = 0;
    const comeAndGo = async (): Promise<void> => {
      while (begun++ < count) await (random() < 0.5 ? hostileClient(port) : clientOfHostile(port));
    };
    await Promise.all(Array.from({ length: crowd }, comeAndGo));
  }

  async function hostileClient(port: number): Promise<void> {
    const socket = scene.client(port);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    await once(socket, 'connect');
    new Hostile(socket, asClient, attack(), random);
    await closed;
  }

  /** Its backend breaks TLS, and what it hears is the end. */
  async function clientOfHostile(port: number): Promise<void> {
    const client = tls.connect({
      port,
      host: '127.0.0.1',
      servername: 'hostile.example',
      ca: ca.cert,
      checkServerIdentity: () => undefined,
    });
    client
      .on('error', () => {})
      .on('secureConnect', () => client.write('hello'))
      .resume();
    await new Promise((resolve) => client.once('close', resolve));
  }

  function residentMegabytes({ sluice }: Proxied): number {
    return (usage(sluice.pid)?.residentBytes ?? 0) / 2 ** 20;
  }
});

/** A well-behaved client, which asks again soon after each answer. */
class Asking {
  readonly #client: tls.TLSSocket;
  #answers = 0;
  #failure: string | undefined;

  constructor(port: number) {
    this.#client = tls.connect({ port, host: '127.0.0.1', servername: 'service.example', ca: ca.cert });
    this.#client
      .on('error', ({ message }) => {
        this.#failure ??= message;
      })
      .on('close', () => {
        this.#failure ??= 'closed';
      })
      .on('secureConnect', () => this.#ask());
  }

  /** Fulfils once it has been answered again; rejects where it ever was not. */
  async isAnswered(): Promise<void> {
    const before = this.#answers;
    await eventually(() => {
      expect(this.#failure).toBeUndefined();
      expect(this.#answers).toBeGreaterThan(before);
    });
  }

  end(): void {
    this.#client.destroy();
  }

  async #ask(): Promise<void> {
    while (!this.#client.destroyed) {
      const question = `question ${this.#answers}`;
      this.#client.write(question);
      if ((await nextText(this.#client)) !== question) this.#failure ??= 'another answer';
      this.#answers++;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
