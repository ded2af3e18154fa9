import type tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Address } from '../../../src/core/contract.ts';
import type { ListenerTls } from '../../../src/core/plan.ts';
import { TicketKeys } from '../../../src/drivers/ticket-keys.ts';
import type { DriverName } from '../../conformance/messages.ts';
import { readBytes } from '../../conformance/peers.ts';
import type { Rig } from '../../conformance/rig.ts';
import { authority, selfSigned } from '../../support/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { certificate, listenerTls, secureClient, tlsRig } from './rig.ts';

export function describeResumption(driver: DriverName): void {
  describe(`Resumption of the ${driver} driver`, () => {
    const second = selfSigned('second.example');
    const clients = authority('clients of ours');
    const good = clients.issue({ commonName: 'good client' });

    interface Worker {
      readonly rig: Rig;
      readonly address: Address;
    }

    /** As another worker has it: of the same content, by way of a message. */
    function worker(listener: ListenerTls, ticketKeys?: TicketKeys): Promise<Worker> {
      return tlsRig(driver, structuredClone(listener), ticketKeys);
    }

    /** Visits, and comes back with a session to resume. */
    async function visit({ rig, address }: Worker, options: tls.ConnectionOptions): Promise<Buffer> {
      const client = await secureClient(rig, address, options);
      client.write('x');
      await readBytes(client, 1);
      // The tickets of TLS 1.3 came ahead of the echo.
      const session = client.getSession();
      client.end();
      if (session === undefined) throw new Error('There is no session to resume');
      return session;
    }

    async function isResumed({ rig, address }: Worker, options: tls.ConnectionOptions): Promise<boolean> {
      const client = await secureClient(rig, address, options);
      client.write('x');
      expect(await readBytes(client, 1)).toBe('x');
      return client.isSessionReused();
    }

    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      describe(`Resumption of ${version}`, () => {
        const options = { minVersion: version, maxVersion: version };
        const listener = listenerTls({ certificates: [certificate, second] });

        for (const servername of ['service.example', 'second.example']) {
          test(`Driver resumes a session of ${servername} that another worker began`, async () => {
            const one = await worker(listener);
            const other = await worker(listener);
            const session = await visit(one, { ...options, servername });
            expect(await isResumed(other, { ...options, servername, session })).toBe(true);
            expect((await other.rig.event('tls-established')).tls.version).toBe(version);
          });
        }

        test('Driver resumes a session with a client certificate, which stays verified', async () => {
          const strict = listenerTls({ clientAuth: 'required', clientCa: clients.cert });
          const session = await visit(await worker(strict), { ...options, ...good });
          expect(await isResumed(await worker(strict), { ...options, ...good, session })).toBe(true);
        });

        test('Driver resumes sessions of the last two keys, and those only', async () => {
          const keys = new TicketKeys();
          const [one, other] = [
            await worker(listener, keys),
            await worker(listener, new TicketKeys(keys.memory)),
          ];
          const first = await visit(one, options);
          keys.rotate();
          const second = await visit(one, options);
          expect(await isResumed(other, { ...options, session: first })).toBe(true);
          expect(await isResumed(other, { ...options, session: second })).toBe(true);
          // One that comes back in between is given a ticket of the new key.
          const renewed = await visit(other, { ...options, session: first });
          keys.rotate();
          expect(await isResumed(one, { ...options, session: first })).toBe(false);
          expect(await isResumed(one, { ...options, session: second })).toBe(true);
          expect(await isResumed(one, { ...options, session: renewed })).toBe(true);
          const successor = await worker(listener, new TicketKeys(keys.memory));
          expect(await isResumed(successor, { ...options, session: second })).toBe(true);
          expect(await isResumed(successor, { ...options, session: await visit(one, options) })).toBe(true);
        });

        test('Driver resumes no session under a name for which it shows another certificate', async () => {
          const place = await worker(listener);
          const session = await visit(place, { ...options, servername: 'service.example' });
          expect(await isResumed(place, { ...options, servername: 'second.example', session })).toBe(false);
        });

        test('Driver resumes no session whose client certificate has expired since', async () => {
          const place = await worker(listenerTls({ clientAuth: 'optional', clientCa: clients.cert }));
          const brief = clients.issue({
            commonName: 'brief client',
            expires: new Date(Date.now() + 2_000),
          });
          const session = await visit(place, { ...options, ...brief });
          // The uring driver goes through the whole handshake with it, as with one that shows none.
          await eventually(async () =>
            expect(await isResumed(place, { ...options, session }).catch(() => false)).toBe(false),
          );
        });

        // Node's own engine can't have its life end with that of the first.
        test.runIf(driver === 'portable')(
          'Driver gives no ticket of a new key for a session that a client certificate began',
          async () => {
            const keys = new TicketKeys();
            const place = await worker(listenerTls({ clientAuth: 'optional', clientCa: clients.cert }), keys);
            const first = await visit(place, { ...options, ...good });
            keys.rotate();
            const second = await visit(place, { ...options, session: first });
            expect(await isResumed(place, { ...options, session: second })).toBe(true);
            keys.rotate();
            expect(await isResumed(place, { ...options, session: second })).toBe(false);
          },
        );

        // Node's own engine gives none.
        test.runIf(driver === 'uring' && version === 'TLSv1.3')(
          'Driver gives a client that has shown its ticket another',
          async () => {
            const place = await worker(listener);
            const session = await visit(place, options);
            const renewed = await visit(place, { ...options, session });
            expect(renewed.equals(session)).toBe(false);
            expect(await isResumed(place, { ...options, session: renewed })).toBe(true);
          },
        );

        test('Driver does not resume a session that another process began', async () => {
          const session = await visit(await worker(listener), options);
          const stranger = await worker(listener, new TicketKeys());
          expect(await isResumed(stranger, { ...options, session })).toBe(false);
        });

        test('Driver does not resume a session for which less was asked', async () => {
          const session = await visit(await worker(listenerTls()), { ...options, ...good });
          const strict = listenerTls({ clientAuth: 'required', clientCa: clients.cert });
          expect(await isResumed(await worker(strict), { ...options, ...good, session })).toBe(false);
        });

        test('Driver does not resume a session that began with another certificate', async () => {
          const session = await visit(await worker(listenerTls()), options);
          const renewed = listenerTls({ certificates: [selfSigned('service.example')] });
          expect(await isResumed(await worker(renewed), { ...options, session })).toBe(false);
        });
      });
    }
  });
}
