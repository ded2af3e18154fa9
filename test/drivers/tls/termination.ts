import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import type { DriverName } from '../../conformance/messages.ts';
import { fate, readAll, readBytes } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { authority, selfSigned } from '../../support/certificate.ts';
import { certificate, clientHello, echoed, listenerTls, secureClient, startTls, tlsRig } from './rig.ts';

/** How far clients come in their handshakes, before they do something else. */
const partsOfHandshakes = {
  nothing: '',
  'a byte': '\x16',
  'a part of a hello': '\x16\x03\x01\x00\xf4\x01',
  'a hello': (await clientHello()).toString('latin1'),
};

export function describeTermination(driver: DriverName): void {
  describe(`Termination of the ${driver} driver`, () => {
    let rig: Rig;
    let address: Address;

    async function listen(listener: ListenerTls): Promise<void> {
      ({ rig, address } = await tlsRig(driver, listener));
    }

    /** Whose certificate a client gets to see: its first DNS name, or its common name. */
    async function shownTo(servername: string | undefined): Promise<string | undefined> {
      const client = await secureClient(
        rig,
        address,
        servername === undefined ? { servername: '' } : { servername },
      );
      const { subjectaltname, subject } = client.getPeerCertificate();
      client.end();
      return subjectaltname?.split(', ')[0]?.slice('DNS:'.length) ?? String(subject.CN);
    }

    /** How a handshake fails, in the client's words. */
    async function failure(options: tls.ConnectionOptions): Promise<string> {
      const outcome = await secureClient(rig, address, options).then(
        () => 'none',
        (error: Error & { code?: string }) => error.code ?? error.message,
      );
      await rig.event('tls-failed');
      expect(await rig.event('over')).toMatchObject({ client: 'closed' });
      return outcome;
    }

    describe('TLS termination', () => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        test(`Driver carries plain bytes to the backend, and counts them, in ${version}`, async () => {
          await listen(listenerTls());
          const client = await secureClient(rig, address, { minVersion: version, maxVersion: version });
          expect(client.getProtocol()).toBe(version);
          expect(await echoed(client, 'hello')).toBe('hello');
          expect(await rig.event('tls-established')).toMatchObject({ tls: { version, alpn: undefined } });
          expect(await rig.event('over')).toMatchObject({
            client: 'finished',
            backend: 'finished',
            firstFin: 'client',
            bytesToBackend: 5,
            bytesToClient: 5,
          });
        });
      }

      test('Driver secures a client whose first bytes were inspected, and a part of them discarded', async () => {
        const listener = listenerTls();
        await listen(listener);
        rig.onEvent = undefined;
        const socket = await rig.client(address);
        const { link } = await rig.event('accepted');
        socket.write('PROXY\r\n');
        const client = tls.connect({ socket, rejectUnauthorized: false });
        rig.inspect(link, 200);
        const { bytes } = await rig.event('received');
        expect(Buffer.from(bytes.subarray(0, 8)).toString('latin1')).toBe('PROXY\r\n\x16');
        rig.discard(link, 7);
        startTls(rig, link, listener);
        await once(client, 'secureConnect');
        await rig.event('tls-established');
        rig.inspect(link, 0);
        client.write('plain');
        expect(Buffer.from((await rig.event('received')).bytes).toString()).toBe('plain');
        rig.close(link, 'fin');
        expect(await fate(client)).toBe('fin');
      });

      test('Driver secures a client that speaks one byte at a time', async () => {
        await listen(listenerTls());
        const socket = await rig.client(address);
        const client = tls.connect({ socket: slowly(socket), rejectUnauthorized: false });
        expect(await echoed(client, 'hello')).toBe('hello');
      });

      test('Driver tells the name of a hello that only the engine can read', async () => {
        await listen(listenerTls());
        const socket = await rig.client(address);
        // An empty record, which OpenSSL passes over.
        const stream = slowly(socket, [0x16, 3, 1, 0, 0]);
        const client = tls.connect({
          socket: stream,
          servername: 'SERVICE.example.',
          rejectUnauthorized: false,
        });
        expect(await echoed(client, 'hello')).toBe('hello');
        expect(await rig.event('tls-established')).toMatchObject({ tls: { serverName: 'service.example' } });
      });

      test('Driver tells the protocol that both agreed on', async () => {
        await listen(listenerTls({ alpn: ['h2', 'http/1.1'] }));
        const client = await secureClient(rig, address, {
          ALPNProtocols: ['http/1.1', 'h2'],
        });
        expect(client.alpnProtocol).toBe('h2');
        expect(await rig.event('tls-established')).toMatchObject({ tls: { alpn: 'h2' } });
      });

      test('Driver secures a client that names neither a server nor a protocol', async () => {
        await listen(listenerTls({ alpn: ['h2'] }));
        await secureClient(rig, address, { servername: '' });
        expect(await rig.event('tls-established')).toMatchObject({ tls: { alpn: undefined } });
      });

      test('Driver refuses a client with no protocol in common', async () => {
        await listen(listenerTls({ alpn: ['h2'] }));
        expect(await failure({ ALPNProtocols: ['http/1.1'] })).toBe(
          'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
        );
      });

      test('Driver shows the certificate of the most specific name, or the first', async () => {
        const ca = authority('test authority');
        await listen(
          listenerTls({
            certificates: [
              selfSigned('default.example'),
              selfSigned('*.wild.example', 'also.example'),
              selfSigned('exact.wild.example'),
              selfSigned('*.deep.wild.example'),
              ca.issue({ commonName: 'only.common' }),
              ca.issue({ names: ['named.example'], commonName: 'not-this.example' }),
              selfSigned('also.example'),
            ],
          }),
        );
        expect(await shownTo('default.example')).toBe('default.example');
        expect(await shownTo(undefined)).toBe('default.example');
        expect(await shownTo('unknown.example')).toBe('default.example');
        expect(await shownTo('a.wild.example')).toBe('*.wild.example');
        expect(await shownTo('A.WILD.example')).toBe('*.wild.example');
        expect(await shownTo('a.wild.example.')).toBe('*.wild.example');
        expect(await shownTo('exact.wild.example.')).toBe('exact.wild.example');
        expect(await shownTo('also.example')).toBe('*.wild.example');
        expect(await shownTo('exact.wild.example')).toBe('exact.wild.example');
        expect(await shownTo('a.deep.wild.example')).toBe('*.deep.wild.example');
        expect(await shownTo('wild.example')).toBe('default.example');
        expect(await shownTo('a.b.wild.example')).toBe('default.example');
        expect(await shownTo('only.common')).toBe('only.common');
        expect(await shownTo('named.example')).toBe('named.example');
        expect(await shownTo('not-this.example')).toBe('default.example');
        expect(await shownTo('ALSO.example.')).toBe('*.wild.example');
        expect(await shownTo('a.wild.example.')).toBe('*.wild.example');
      });

      test('Driver shows each client the certificate of the kind that it can verify, of two for one name', async () => {
        const ca = authority('test authority');
        const both = (name: string) => [
          ca.issue({ names: [name], kind: 'rsa' }),
          ca.issue({ names: [name], kind: 'ec' }),
        ];
        await listen(listenerTls({ certificates: [...both('a.example'), ...both('b.example')] }));
        const kindFor = async (options: tls.ConnectionOptions) => {
          const client = await secureClient(rig, address, options);
          const shown = client.getPeerX509Certificate();
          client.end();
          return [shown?.subject, shown?.publicKey.asymmetricKeyType];
        };
        for (const servername of ['a.example', 'b.example', 'B.example.', '']) {
          const subject = `CN=${servername.startsWith('b') || servername.startsWith('B') ? 'b' : 'a'}.example`;
          for (const [kind, sigalgs, cipher] of [
            ['rsa', 'rsa_pss_rsae_sha256', 'ECDHE-RSA-AES128-GCM-SHA256'],
            ['ec', 'ecdsa_secp256r1_sha256', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
          ] as const) {
            expect(await kindFor({ servername, sigalgs, minVersion: 'TLSv1.3' })).toEqual([subject, kind]);
            expect(await kindFor({ servername, ciphers: cipher, maxVersion: 'TLSv1.2' })).toEqual([
              subject,
              kind,
            ]);
          }
        }
      });

      test('Driver refuses a version below the least that is wanted', async () => {
        await listen(listenerTls({ minVersion: 'TLSv1.3' }));
        expect(await failure({ maxVersion: 'TLSv1.2' })).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
      });

      test('Driver refuses TLS 1.0 and 1.1', async () => {
        await listen(listenerTls());
        for (const version of ['TLSv1', 'TLSv1.1'] as const) {
          const options = {
            minVersion: version,
            maxVersion: version,
            ciphers: 'DEFAULT@SECLEVEL=0',
          } as const;
          expect(await failure(options)).toBe('ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION');
        }
      });

      test('Driver refuses a client that has only ciphers without forward secrecy or authentication', async () => {
        await listen(listenerTls());
        for (const ciphers of ['AES128-GCM-SHA256', 'ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES128-SHA']) {
          expect(await failure({ maxVersion: 'TLSv1.2', ciphers })).toContain('ALERT_HANDSHAKE_FAILURE');
        }
      });

      test('Driver fails every handshake of a listener whose key is not that of its certificate', async () => {
        await listen(
          listenerTls({ certificates: [{ cert: certificate.cert, key: selfSigned('other').key }] }),
        );
        expect(await failure({})).toBe('ECONNRESET');
      });

      test('Driver fails the handshakes for a name whose key is not that of its certificate, and no others', async () => {
        const { cert } = selfSigned('odd.example');
        await listen(listenerTls({ certificates: [certificate, { cert, key: selfSigned('other').key }] }));
        expect(await failure({ servername: 'odd.example' })).toBe('ECONNRESET');
        expect(await shownTo('service.example')).toBe('service.example');
      });

      test('Driver fails a handshake of what is no TLS', async () => {
        await listen(listenerTls());
        for (const plain of ['GET / HTTP/1.1\r\n\r\n', 'xxxxxxxxxxx']) {
          const socket = await rig.client(address);
          socket.write(Buffer.from(plain, 'latin1'));
          await rig.event('tls-failed');
          socket.end();
          expect(await rig.event('over')).toMatchObject({ client: 'closed', bytesToBackend: 0 });
        }
        expect(rig.count('tls-failed')).toBe(0);
      });

      test('Driver says why a handshake failed', async () => {
        await listen(listenerTls({ minVersion: 'TLSv1.3' }));
        await secureClient(rig, address, { maxVersion: 'TLSv1.2' }).catch(() => {});
        expect((await rig.event('tls-failed')).detail).toBe('unsupported protocol');
        const socket = await rig.client(address);
        socket.write('GET / HTTP/1.1\r\n\r\n');
        expect((await rig.event('tls-failed')).detail).toBe('http request');
      });

      test('Driver lets an alert arrive, and then FIN, from a client that has sent more than its hello', async () => {
        await listen(listenerTls({ minVersion: 'TLSv1.3' }));
        const socket = await rig.client(address);
        const client = tls.connect({ socket, rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
        socket.write(Buffer.alloc(100_000, 'more'));
        const [error]: unknown[] = await once(client, 'error');
        expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
      });

      test('Driver fails a handshake of garbage that begins like TLS', async () => {
        await listen(listenerTls());
        const socket = await rig.client(address);
        socket.write(Buffer.from('\x16garbage garbage garbage', 'latin1'));
        await rig.event('tls-failed');
        socket.end();
        expect(await rig.event('over')).toMatchObject({ client: 'closed' });
        expect(rig.count('tls-failed')).toBe(0);
      });

      test('Driver ends a link that is to be secured and whose client had finished before', async () => {
        const listener = listenerTls();
        await listen(listener);
        rig.onEvent = undefined;
        const socket = await rig.client(address);
        const { link } = await rig.event('accepted');
        socket.end('\x16\x03');
        await rig.event('half-closed');
        startTls(rig, link, listener);
        expect(await rig.event('over')).toMatchObject({ client: 'finished' });
        expect(rig.count('tls-failed')).toBe(0);
      });

      for (const [after, sent] of Object.entries(partsOfHandshakes)) {
        test(`Driver ends a session whose client finishes in its handshake, after ${after}`, async () => {
          const listener = listenerTls();
          await listen(listener);
          rig.onEvent = undefined;
          const socket = await rig.client(address);
          const { link } = await rig.event('accepted');
          startTls(rig, link, listener);
          // It is answered behind the command.
          await rig.ask({ what: 'waitingBytes', link });
          socket.end(Buffer.from(sent, 'latin1'));
          expect(await rig.event('over')).toMatchObject({ client: 'finished' });
          expect(rig.count('tls-failed') + rig.count('half-closed')).toBe(0);
        });

        test(`Driver ends a session whose client resets in its handshake, after ${after}`, async () => {
          await listen(listenerTls());
          const socket = await rig.client(address);
          await rig.event('accepted');
          await hear(socket, sent);
          socket.resetAndDestroy();
          expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer' });
          expect(rig.count('tls-failed')).toBe(0);
        });

        for (const how of ['fin', 'reset'] as const) {
          test(`Driver closes with ${how} in a handshake, after ${after}`, async () => {
            await listen(listenerTls());
            const socket = await rig.client(address);
            const { link } = await rig.event('accepted');
            await hear(socket, sent);
            const seen = fate(socket);
            socket.on('end', () => socket.end());
            rig.close(link, how);
            expect(await seen).toBe(how);
            expect(await rig.event('over')).toMatchObject({ client: 'closed' });
            expect(rig.count('tls-failed') + rig.count('tls-established')).toBe(0);
          });
        }
      }

      test('Driver takes FIN without close_notify for the end of what the client sends', async () => {
        await listen(listenerTls());
        const client = await secureClient(rig, address);
        client.write('hello');
        expect(await readBytes(client, 5)).toBe('hello');
        // A destroyed TLS socket says no goodbye.
        client.destroy();
        expect(await rig.event('over')).toMatchObject({ client: 'finished' });
      });

      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        test(`Driver tells a client that breaks the encryption by an alert, with more behind it, in ${maxVersion}`, async () => {
          await listen(listenerTls());
          for (let i = 0; i < 8; i++) {
            const socket = await rig.client(address);
            const client = tls.connect({ socket, rejectUnauthorized: false, maxVersion });
            const failed = once(client, 'error');
            await once(client, 'secureConnect');
            client.write('hello');
            expect(await readBytes(client, 5)).toBe('hello');
            breakEncryption(socket);
            expect((await failed)[0]).toMatchObject({
              code: expect.stringMatching(/ALERT_BAD_RECORD_MAC$/),
            });
            client.destroy();
            expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer', bytesToBackend: 5 });
          }
        });
      }

      test('Driver tells a client by an alert that breaks the encryption before it has a backend, and resets that', async () => {
        await listen(listenerTls());
        const { onEvent } = rig;
        rig.onEvent = (event) => {
          if (event.kind !== 'tls-established') onEvent?.(event);
        };
        const socket = await rig.client(address);
        const client = tls.connect({ socket, rejectUnauthorized: false });
        const failed = once(client, 'error');
        const { link } = await rig.event('tls-established');
        breakEncryption(socket);
        expect((await failed)[0]).toMatchObject({
          code: expect.stringMatching(/ALERT_BAD_RECORD_MAC$/),
        });
        const end = new Promise((resolve) => {
          void rig.backend((backend) => resolve(fate(backend))).then((target) => rig.dial(link, target));
        });
        expect(await end).toBe('reset');
        client.destroy();
        expect(await rig.event('over')).toMatchObject({ client: 'reset-by-peer', bytesToBackend: 0 });
      });

      test('Driver says goodbye (close_notify) when it closes with fin', async () => {
        await listen(listenerTls());
        const client = await secureClient(rig, address);
        const { link } = await rig.event('tls-established');
        await rig.event('connected');
        const end = readAll(client);
        rig.close(link, 'fin');
        expect((await end).length).toBe(0);
        client.end();
        expect(await rig.event('over')).toMatchObject({ client: 'closed' });
      });

      test('Driver refuses to renegotiate', async () => {
        await listen(listenerTls());
        const client = await secureClient(rig, address, { maxVersion: 'TLSv1.2' });
        client.write('hello');
        expect(await readBytes(client, 5)).toBe('hello');
        const failed = once(client, 'error');
        client.renegotiate({}, () => {});
        expect((await failed)[0]).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' });
      });
    });

    /** With so much behind it that it is not read in one go. */
    function breakEncryption(socket: Socket): void {
      socket.write(Buffer.from('\x17\x03\x03\x00\x20not encrypted by any of the keys!', 'latin1'));
      for (let more = 0; more < 20; more++) socket.write(Buffer.alloc(3_000));
    }

    /** A client sends a part of its handshake, and the driver has done with it what it is told to. */
    async function hear(socket: Socket, part: string): Promise<void> {
      socket.write(Buffer.from(part, 'latin1'));
      if (part !== '') await rig.event('received');
      await rig.ask({ what: 'held' });
    }

    /** A stream that gives its bytes to the socket one by one, behind those that are given. */
    function slowly(socket: Socket, ahead: readonly number[] = []): Duplex {
      if (ahead.length > 0) socket.write(Buffer.from(ahead));
      const slow = new Duplex({
        read() {},
        write(chunk: Buffer, _, done) {
          for (const byte of chunk) socket.write(Buffer.of(byte));
          setImmediate(done);
        },
        final: (done) => void socket.end(done),
      });
      socket.on('data', (chunk) => slow.push(chunk)).on('end', () => slow.push(null));
      return slow;
    }
  });
}
