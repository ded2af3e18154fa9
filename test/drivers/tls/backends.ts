import { once } from 'node:events';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '../../../bench/stage/free-ports.ts';
import type { Address, LinkId } from '../../../src/core/contract.ts';
import type { BackendTls } from '../../../src/core/plan.ts';
import type { DialOptions, DriverName } from '../../conformance/messages.ts';
import { echo, fate, readAll, readBytes } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { authority, type TestCertificate } from '../../support/certificate.ts';
import { rigOfTest } from './rig.ts';

export function describeBackends(driver: DriverName): void {
  describe(`TLS to backends of the ${driver} driver`, () => {
    const ca = authority('backends of ours');
    const named = ca.issue({ names: ['db.example', '127.0.0.1'] });
    const proxy = ca.issue({ commonName: 'the proxy' });

    let rig: Rig;
    /** All that backends received, plain, before and after their handshakes. */
    let clear: Buffer[] = [];

    beforeEach(async () => {
      clear = [];
      rig = await rigOfTest(driver);
    });

    function backendTls(change: Partial<BackendTls> = {}): BackendTls {
      return {
        servername: 'db.example',
        ca: ca.cert,
        verify: true,
        cert: undefined,
        key: undefined,
        ...change,
      };
    }

    /** An echo in TLS, which reads a preamble of so many bytes first. */
    async function backend(options: tls.TlsOptions, preambleBytes = 0, address?: Address): Promise<Address> {
      const { rejectUnauthorized = false, ...rest } = options;
      const target = await rig.backend((socket) => {
        const answer = (): void => {
          const server = new tls.TLSSocket(socket, {
            isServer: true,
            secureContext: tls.createSecureContext(rest),
            requestCert: rest.ca !== undefined,
            rejectUnauthorized,
          });
          server.on('error', () => {});
          server.on('data', (chunk: Buffer) => clear.push(chunk));
          echo(server);
        };
        if (preambleBytes === 0) return answer();
        void readBytes(socket, preambleBytes).then((preamble) => {
          clear.push(Buffer.from(preamble, 'latin1'));
          answer();
        });
      }, address);
      rig.target = undefined;
      return target;
    }

    async function arrival(sent: string): Promise<{ readonly client: Socket; readonly link: LinkId }> {
      const client = await rig.client(await rig.listen());
      client.end(sent);
      const { link } = await rig.event('half-closed');
      return { client, link };
    }

    async function echoOver(target: Address, options: DialOptions): Promise<string> {
      const { client, link } = await arrival('hello');
      rig.dial(link, target, options);
      return (await readAll(client)).toString();
    }

    /** Resolves with how the attempt ends: in a failed handshake, or with the backend's link alone. */
    async function failsOver(target: Address, options: DialOptions): Promise<string> {
      const { client, link } = await arrival('secret');
      const connectedBefore = rig.count('connected');
      let outcome: string | undefined;
      rig.onEvent = (event) => {
        if (event.kind === 'tls-failed') outcome ??= event.detail;
        else if (event.kind === 'closed' && event.client !== undefined) outcome ??= event.end;
      };
      rig.dial(link, target, options);
      await rig.until('an attempt that ends', () => outcome !== undefined);
      rig.close(link, 'reset');
      expect(await fate(client)).toBe('reset');
      await rig.event('over');
      expect(rig.count('connected')).toBe(connectedBefore);
      expect(rig.count('half-closed')).toBe(0);
      expect(Buffer.concat(clear).toString()).toBe('');
      return outcome ?? '';
    }

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      test(`Driver speaks ${maxVersion} to a backend, and counts plain bytes`, async () => {
        expect(await echoOver(await backend({ ...named, maxVersion }), { tls: backendTls() })).toBe('hello');
        expect(await rig.event('over')).toMatchObject({
          backend: 'finished',
          bytesToBackend: 5,
          bytesToClient: 5,
        });
      });
    }

    test('Driver dials no backend that has less than TLS 1.2', async () => {
      const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
      await failsOver(await backend({ ...named, ...old }), { tls: backendTls() });
    });

    const impostors: readonly (readonly [title: string, TestCertificate, reason: RegExp])[] = [
      ['with another name', ca.issue({ names: ['web.example'] }), /^Host: .* is not in the cert's altnames/],
      [
        'of another authority',
        authority('backends of ours').issue({ names: ['db.example'] }),
        /^[a-z ]+ \([A-Z_]+\)$/,
      ],
      [
        'whose certificate has expired',
        ca.issue({ names: ['db.example'], isExpired: true }),
        /^certificate has expired \(CERT_HAS_EXPIRED\)$/,
      ],
    ];

    for (const [title, certificate, reason] of impostors) {
      test(`Driver sends nothing to a backend ${title}, and says why`, async () => {
        expect(await failsOver(await backend(certificate), { tls: backendTls() })).toMatch(reason);
      });

      test(`Driver dials a backend ${title} where nothing is verified`, async () => {
        expect(await echoOver(await backend(certificate), { tls: backendTls({ verify: false }) })).toBe(
          'hello',
        );
      });
    }

    test('Driver believes no backend of an authority that the system does not know', async () => {
      await failsOver(await backend(named), { tls: backendTls({ ca: undefined }) });
    });

    test('Driver verifies the address of a backend where it has no name', async () => {
      const tlsPlan = backendTls({ servername: undefined });
      expect(await echoOver(await backend(named), { tls: tlsPlan })).toBe('hello');
      clear = [];
      const nameless = await backend(ca.issue({ names: ['db.example'] }));
      await failsOver(nameless, { tls: tlsPlan });
    });

    test('Driver verifies the name that the address of a backend was resolved from', async () => {
      const target = await backend(ca.issue({ names: ['db.example'] }));
      const tlsPlan = backendTls({ servername: undefined });
      expect(await echoOver(target, { tls: tlsPlan, serverName: 'db.example' })).toBe('hello');
      clear = [];
      await failsOver(target, { tls: tlsPlan, serverName: 'web.example' });
    });

    test('Driver names the backend to itself, but not by its address', async () => {
      const seen: (string | false | null)[] = [];
      const server = tls.createServer({ ...named, allowHalfOpen: true }, (socket) => {
        seen.push(socket.servername);
        echo(socket);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const bound = server.address();
      if (bound === null || typeof bound === 'string') throw new Error('The backend has no port');
      const target = { host: '127.0.0.1', port: bound.port };
      for (const servername of ['db.example', '127.0.0.1', undefined]) {
        expect(await echoOver(target, { tls: backendTls({ servername }) })).toBe('hello');
      }
      expect(seen).toEqual(['db.example', false, false]);
      server.close();
    });

    test('Driver shows its own certificate to a backend that asks for it', async () => {
      const target = await backend({
        ...named,
        ca: ca.cert,
        maxVersion: 'TLSv1.2',
        rejectUnauthorized: true,
      });
      expect(await echoOver(target, { tls: backendTls(proxy) })).toBe('hello');
      clear = [];
      await failsOver(target, { tls: backendTls() });
    });

    test('Driver fails a dial whose own key is none', async () => {
      await failsOver(await backend(named), { tls: backendTls({ cert: proxy.cert, key: 'no key' }) });
    });

    test('Driver sends the preamble in clear, ahead of TLS, once', async () => {
      const preamble = Buffer.from('PROXY UNKNOWN\r\n');
      const target = await backend(named, preamble.length);
      expect(await echoOver(target, { tls: backendTls(), first: preamble })).toBe('hello');
      expect(Buffer.concat(clear).toString()).toBe('PROXY UNKNOWN\r\nhello');
      expect(await rig.event('over')).toMatchObject({ bytesToBackend: 5 });
    });

    test('Driver tells of a backend that speaks no TLS as a failed dial', async () => {
      const plain = await rig.backend((socket) => socket.end('220 plain text only\r\n'));
      rig.target = undefined;
      await failsOver(plain, { tls: backendTls() });
    });

    for (const how of ['finishes', 'resets'] as const) {
      test(`Driver tells of a backend that ${how} in the handshake as a failed dial`, async () => {
        const leaving = await rig.backend((socket) => {
          socket.once('data', () => (how === 'resets' ? socket.resetAndDestroy() : socket.end()));
        });
        rig.target = undefined;
        await failsOver(leaving, { tls: backendTls() });
      });
    }

    test('Driver tells a refused dial as refused, with TLS too', async () => {
      const { link } = await arrival('secret');
      rig.dial(link, { host: '127.0.0.1', port: await freePort() }, { tls: backendTls() });
      expect(await rig.event('connect-failed')).toMatchObject({ why: 'connect-refused' });
      rig.close(link, 'reset');
    });

    test('Driver aborts a dial in its handshake, and dials another backend', async () => {
      const { client, link } = await arrival('hello');
      let reached: (() => void) | undefined;
      const helloSeen = new Promise<void>((resolve) => {
        reached = resolve;
      });
      const silent = await rig.backend((socket) => socket.once('data', () => reached?.()).resume());
      rig.target = undefined;
      rig.dial(link, silent, { tls: backendTls() });
      await helloSeen;
      rig.resetBackend(link);
      rig.dial(link, await backend(named), { tls: backendTls() });
      expect((await readAll(client)).toString()).toBe('hello');
      expect(rig.count('connect-failed')).toBe(0);
    });

    for (const how of ['fin', 'reset'] as const) {
      test(`Driver closes with ${how} in the handshake of a dial`, async () => {
        const { client, link } = await arrival('hello');
        const fates: Promise<string>[] = [];
        const silent = await rig.backend((socket) => {
          socket.once('data', () => {
            fates.push(fate(socket));
            socket.on('end', () => socket.end());
            rig.close(link, how);
          });
        });
        rig.target = undefined;
        rig.dial(link, silent, { tls: backendTls() });
        expect(await fate(client)).toBe(how);
        expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 0 });
        expect(fates.length).toBe(1);
      });
    }
  });
}
