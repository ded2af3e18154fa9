/** Clients that show tickets which nobody has given to them, or not for what they ask. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBackend, type TestBackend } from '../support/backends.ts';
import { authority } from '../support/certificate.ts';
import { Sluice } from '../support/sluice.ts';
import { ticketOf, withOtherSecret, withTicket } from '../support/tls-session.ts';

const clients = authority('clients of ours');
const shown = clients.issue({ commonName: 'a client' });
const certificate = authority('an authority').issue({ names: ['a.example', 'b.example'] });

let sluice: Sluice;
let backends: readonly TestBackend[] = [];

beforeAll(async () => {
  const pools = ['a', 'b', 'other'];
  backends = await Promise.all(
    pools.map((name) => startBackend((socket) => socket.once('data', () => socket.end(name)))),
  );
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  writeFileSync(join(folder, 'cert.pem'), certificate.cert);
  writeFileSync(join(folder, 'key.pem'), certificate.key);
  writeFileSync(join(folder, 'clients.pem'), clients.cert);
  const certificates = [{ cert: 'cert.pem', key: 'key.pem' }];
  const strict = { certificates, clientCa: 'clients.pem', alpn: ['h2', 'http/1.1'] };
  const common = { bind: '127.0.0.1:0', pool: 'other' };
  const config = {
    version: 1,
    workers: 2,
    listeners: {
      names: {
        ...common,
        tls: { certificates },
        routes: [
          { when: { sni: 'a.example' }, pool: 'a' },
          { when: { sni: 'b.example' }, pool: 'b' },
        ],
      },
      protocols: {
        ...common,
        tls: { certificates, alpn: ['h2', 'http/1.1'] },
        routes: [
          { when: { alpn: 'h2' }, pool: 'a' },
          { when: { alpn: 'http/1.1' }, pool: 'b' },
        ],
      },
      optional: { ...common, tls: { ...strict, clientAuth: 'optional' } },
      required: { ...common, tls: { ...strict, clientAuth: 'required' } },
    },
    pools: Object.fromEntries(pools.map((name, index) => [name, { backends: [backends[index]?.address] }])),
  };
  sluice = await Sluice.runIn(folder, JSON.stringify(config));
});

afterAll(async () => {
  await sluice.stop();
  await Promise.all(backends.map((backend) => backend.close()));
});

interface Visit {
  /** What the backend has said; undefined where the client was not let in. */
  readonly answer: string | undefined;
  readonly isResumed: boolean;
  readonly session: Buffer | undefined;
}

function visit(listener: string, options: tls.ConnectionOptions): Promise<Visit> {
  const client = tls.connect({
    host: '127.0.0.1',
    port: sluice.port(listener),
    servername: 'a.example',
    rejectUnauthorized: false,
    ...options,
  });
  let answer: string | undefined;
  let isResumed = false;
  let session: Buffer | undefined;
  client
    .on('session', (given: Buffer) => {
      session = given;
    })
    .on('secureConnect', () => {
      isResumed = client.isSessionReused();
      client.write('who?');
    })
    .on('data', (bytes: Buffer) => {
      answer = `${answer ?? ''}${bytes}`;
    })
    .on('error', () => {});
  return new Promise((resolve) => client.once('close', () => resolve({ answer, isResumed, session })));
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  describe(`A session of ${version}`, () => {
    const common = { minVersion: version, maxVersion: version };

    async function begun(listener: string, options: tls.ConnectionOptions = {}): Promise<Buffer> {
      const { session } = await visit(listener, { ...common, ...options });
      if (session === undefined) throw new Error('The client was given no ticket');
      return session;
    }

    it('is begun anew where its ticket was changed in any part', async () => {
      const session = await begun('names');
      const ticket = ticketOf(session);
      const changedAt = (at: number): Buffer => {
        const changed = Buffer.from(ticket);
        changed[at] = (changed[at] ?? 0) ^ 1;
        return changed;
      };
      const name = ticket.subarray(0, 16);
      const forged = {
        'another name of its key': changedAt(0),
        'another initial vector': changedAt(16),
        'another cipher text': changedAt(40),
        'another code': changedAt(ticket.length - 1),
        'a byte too few': ticket.subarray(0, -1),
        'a byte too many': Buffer.concat([ticket, Buffer.alloc(1)]),
        'its name alone': name,
        'a single byte': ticket.subarray(0, 1),
        'nothing of it': randomBytes(ticket.length),
        'nothing but its name': Buffer.concat([name, randomBytes(60_000)]),
        'as much as there can be': randomBytes(60_000),
      };
      for (const [what, bytes] of Object.entries(forged)) {
        const { answer, isResumed } = await visit('names', {
          ...common,
          session: withTicket(session, bytes),
        });
        expect({ answer, isResumed }, what).toEqual({ answer: 'a', isResumed: false });
      }
      const again = await visit('names', { ...common, session: withTicket(session, ticket) });
      expect(again).toMatchObject({ answer: 'a', isResumed: true });
    });

    it('is of no use to who has a ticket and not its secret', async () => {
      const session = await begun('names');
      expect((await visit('names', { ...common, session: withOtherSecret(session) })).answer).toBeUndefined();
      expect(await visit('names', { ...common, session })).toMatchObject({ answer: 'a', isResumed: true });
    });

    it('is routed by what its client asks for as it resumes it', async () => {
      const ofName = await begun('names');
      expect((await visit('names', { ...common, session: ofName, servername: 'b.example' })).answer).toBe(
        'b',
      );
      const ofProtocol = await begun('protocols', { ALPNProtocols: ['h2'] });
      const options = { ...common, session: ofProtocol, ALPNProtocols: ['http/1.1'] };
      expect(await visit('protocols', options)).toMatchObject({ answer: 'b', isResumed: true });
      expect((await visit('protocols', { ...options, ALPNProtocols: ['h3'] })).answer).toBeUndefined();
    });

    it('gets in nowhere without a certificate where its client has shown none', async () => {
      for (const session of [await begun('names'), await begun('protocols'), await begun('optional')])
        expect((await visit('required', { ...common, session })).answer).toBeUndefined();
      const verified = await begun('required', shown);
      expect(await visit('required', { ...common, session: verified })).toMatchObject({
        answer: 'other',
        isResumed: true,
      });
      expect(await visit('optional', { ...common, session: verified })).toMatchObject({ isResumed: false });
    });
  });
}
