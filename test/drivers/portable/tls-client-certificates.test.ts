import { once } from 'node:events';
import type tls from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import { inTime } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { authority, selfSigned } from '../../support/certificate.ts';
import { echoed, listenerTls, secureClient, tlsRig } from './tls-rig.ts';

const clients = authority('clients of ours');
const good = clients.issue({ commonName: 'good client' });
const bad: Readonly<Record<string, { readonly cert: string; readonly key: string }>> = {
  'signed by itself': selfSigned('client.example'),
  'of an authority that only has the name of ours': authority('clients of ours').issue({ commonName: 'x' }),
  'that has expired': clients.issue({ commonName: 'old client', isExpired: true }),
};

let rig: Rig;
let address: Address;

async function listen(change: Partial<ListenerTls>): Promise<void> {
  ({ rig, address } = await tlsRig(listenerTls({ clientCa: clients.cert, ...change })));
}

afterEach(async () => {
  await rig.dispose();
  expect(rig.violations).toEqual([]);
});

/** A client that is refused may learn of it before its own handshake is done, or after. */
async function isRefused(options: tls.ConnectionOptions): Promise<string> {
  const client = await secureClient(rig, address, options).catch(() => undefined);
  const { sni, detail } = await rig.event('secure-failed');
  expect(sni).toBe('service.example');
  client?.resume().end();
  expect(await rig.event('ended')).toMatchObject({ how: 'closed', bytesToBackend: 0 });
  expect(rig.count('secured')).toBe(0);
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
      });

      for (const [title, certificate] of Object.entries(bad)) {
        test(`Driver refuses a certificate ${title} where it is ${clientAuth}`, async () => {
          await listen({ clientAuth });
          const detail = await isRefused({ ...certificate, maxVersion });
          expect(detail).toMatch(
            /^client certificate: (certificate (has expired|signature failure)|self-signed|unable to)/,
          );
        });
      }

      test(`Driver refuses every certificate where it is ${clientAuth} and no authority is named`, async () => {
        await listen({ clientAuth, clientCa: undefined });
        expect(await isRefused({ ...good, maxVersion })).toContain('client certificate: ');
      });

      test(`Driver refuses a session that a bad certificate began, where it is ${clientAuth}`, async () => {
        await listen({ clientAuth });
        const session = await ticketOf({ ...selfSigned('client.example'), maxVersion });
        await rig.event('secure-failed');
        if (session === undefined) return;
        await isRefused({ session, maxVersion });
      });
    }

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
      expect(await echoed(await secureClient(rig, address, { ...certificate, maxVersion }), 'hello')).toBe(
        'hello',
      );
    });
  });
}

/** The session that a client could resume, if it got one before it was closed. */
async function ticketOf(options: tls.ConnectionOptions): Promise<Buffer | undefined> {
  let session: Buffer | undefined;
  const client = await secureClient(rig, address, options).catch(() => undefined);
  if (client === undefined) return undefined;
  client.on('session', (ticket: Buffer) => {
    session = ticket;
  });
  session = client.getProtocol() === 'TLSv1.2' ? client.getSession() : session;
  client.resume();
  if (!client.destroyed) await inTime(once(client, 'end'), 'end');
  client.end();
  return session;
}
