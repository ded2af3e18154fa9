import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import type { DriverName } from '../../conformance/messages.ts';
import { inTime } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { authority, selfSigned } from '../../support/certificate.ts';
import { echoed, listenerTls, secureClient, tlsClient, tlsRig } from './rig.ts';

export function describeClientCertificates(driver: DriverName): void {
  describe(`Client certificates of the ${driver} driver`, () => {
    const clients = authority('clients of ours');
    const good = clients.issue({ commonName: 'good client' });
    const bad: Readonly<Record<string, { readonly cert: string; readonly key: string }>> = {
      'signed by itself': selfSigned('client.example'),
      'of an authority that only has the name of ours': authority('clients of ours').issue({
        commonName: 'x',
      }),
      'that has expired': clients.issue({ commonName: 'old client', isExpired: true }),
    };

    /** Node judges certificates when the handshake is done, and a ticket of TLS 1.2 is given away. */
    const refusesLate = driver !== 'uring';

    let rig: Rig;
    let address: Address;

    async function listen(change: Partial<ListenerTls>): Promise<void> {
      ({ rig, address } = await tlsRig(driver, listenerTls({ clientCa: clients.cert, ...change })));
    }

    /** What a client hears before it is closed, in the words of its own OpenSSL. */
    async function alertTo(options: tls.ConnectionOptions): Promise<string> {
      const client = await tlsClient(rig, address, options);
      const [error] = await inTime(once(client, 'error'), 'alert');
      client.destroy();
      await rig.event('tls-failed');
      await rig.event('over');
      return error.code;
    }

    /** A client that is refused may learn of it before its own handshake is done, or after. */
    async function isRefused(options: tls.ConnectionOptions): Promise<string> {
      const client = await secureClient(rig, address, options).catch(() => undefined);
      const { detail } = await rig.event('tls-failed');
      client?.resume().end();
      // The client may have taken the alert for a reason to reset, before the rig has closed it.
      const { client: end, bytesToBackend } = await rig.event('over');
      expect(['closed', 'reset-by-peer']).toContain(end);
      expect(bytesToBackend).toBe(0);
      expect(rig.count('tls-established')).toBe(0);
      return detail;
    }

    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      describe(`Client certificates in ${maxVersion}`, () => {
        for (const clientAuth of ['optional', 'required'] as const) {
          test(`Driver accepts a certificate of the authority where it is ${clientAuth}`, async () => {
            await listen({ clientAuth });
            expect(await echoed(await secureClient(rig, address, { ...good, maxVersion }), 'hello')).toBe(
              'hello',
            );
            expect((await rig.event('tls-established')).tls.clientSubject).toBe('CN=good client');
          });

          for (const [title, certificate] of Object.entries(bad)) {
            test(`Driver refuses a certificate ${title} where it is ${clientAuth}`, async () => {
              await listen({ clientAuth });
              const detail = await isRefused({ ...certificate, maxVersion });
              expect(detail).toMatch(
                /^client certificate: (certificate (has expired|signature failure)|self-signed|unable to)[^;]*$/,
              );
            });
          }

          test(`Driver refuses every certificate where it is ${clientAuth} and no authority is named`, async () => {
            await listen({ clientAuth, clientCa: undefined });
            expect(await isRefused({ ...good, maxVersion })).toContain('client certificate: ');
          });

          test(`Driver resumes no session that a bad certificate began, where it is ${clientAuth}`, async () => {
            await listen({ clientAuth });
            const session = await ticketOf({ ...selfSigned('client.example'), maxVersion });
            await rig.event('tls-failed');
            await rig.event('over');
            if (refusesLate) expect(session !== undefined || maxVersion === 'TLSv1.3').toBe(true);
            else expect(session).toBeUndefined();
            if (session === undefined) return;
            const client = await secureClient(rig, address, { session, maxVersion }).catch(() => undefined);
            // OpenSSL 3.5 begins anew, and then it is a client that shows none.
            const isAnew = client !== undefined && !client.isSessionReused();
            if (!isAnew || clientAuth === 'required') await rig.event('tls-failed');
          });
        }

        for (const [title, certificate] of Object.entries(bad)) {
          test(`Driver tells a client by an alert what is wrong with a certificate ${title}`, async () => {
            for (const clientAuth of ['optional', 'required'] as const) {
              await listen({ clientAuth });
              const expected = title === 'that has expired' ? /CERTIFICATE_EXPIRED$/ : /UNKNOWN_CA$/;
              expect(await alertTo({ ...certificate, maxVersion })).toMatch(expected);
              await rig.dispose();
            }
          });
        }

        test('Driver tells a client by an alert that a certificate is required', async () => {
          await listen({ clientAuth: 'required' });
          const expected = maxVersion === 'TLSv1.3' ? /CERTIFICATE_REQUIRED$/ : /HANDSHAKE_FAILURE$/;
          expect(await alertTo({ maxVersion })).toMatch(expected);
        });

        test('Driver accepts a client without a certificate where it is optional', async () => {
          await listen({ clientAuth: 'optional' });
          expect(await echoed(await secureClient(rig, address, { maxVersion }), 'hello')).toBe('hello');
        });

        test('Driver refuses a client without a certificate where it is required', async () => {
          await listen({ clientAuth: 'required' });
          expect(await isRefused({ maxVersion })).toBe('peer did not return a certificate');
        });

        test('Driver asks for no certificate where it is off', async () => {
          await listen({ clientAuth: 'off' });
          const certificate = selfSigned('client.example');
          expect(
            await echoed(await secureClient(rig, address, { ...certificate, maxVersion }), 'hello'),
          ).toBe('hello');
        });
      });
    }

    /** The session that a client could resume that does not listen to the alert. */
    async function ticketOf(options: tls.ConnectionOptions): Promise<Buffer | undefined> {
      const socket = await rig.client(address);
      const client = tls.connect({ rejectUnauthorized: false, ...options, socket: deafToAlerts(socket) });
      client.on('error', () => {}).resume();
      let session: Buffer | undefined;
      client.on('session', (ticket: Buffer) => {
        session = ticket;
      });
      if (refusesLate && options.maxVersion === 'TLSv1.2') {
        await inTime(once(client, 'secureConnect'), 'handshake');
        session = client.getSession();
      } else await inTime(once(socket, 'end'), 'end');
      socket.destroy();
      return session;
    }

    /** Leaves out the records that hold no more than an alert, sealed or plain. */
    function deafToAlerts(socket: Socket): Duplex {
      let held = Buffer.alloc(0);
      const ear = new Duplex({
        read() {},
        write: (chunk: Buffer, _, done) => void socket.write(chunk, () => done()),
      });
      socket.on('data', (chunk: Buffer) => {
        held = Buffer.concat([held, chunk]);
        while (held.length >= 5 && held.length >= 5 + held.readUInt16BE(3)) {
          const record = held.subarray(0, 5 + held.readUInt16BE(3));
          held = held.subarray(record.length);
          if (record.length !== 5 + 2 && record.length !== 5 + 2 + 1 + 16) ear.push(record);
        }
      });
      return ear;
    }

    for (const ciphers of [
      'TLS_AES_128_GCM_SHA256',
      'TLS_AES_256_GCM_SHA384',
      'TLS_CHACHA20_POLY1305_SHA256',
    ]) {
      test(`Driver seals the alert with ${ciphers}`, async () => {
        await listen({ clientAuth: 'required' });
        expect(await alertTo({ ...selfSigned('client.example'), ciphers })).toMatch(/UNKNOWN_CA$/);
      });
    }
  });
}
