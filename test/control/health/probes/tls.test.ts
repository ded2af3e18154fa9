import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'node:tls';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { BackendTls } from '../../../../src/core/plan.ts';
import { selfSigned } from '../../../support/certificate.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe } from '../../../support/probing.ts';
import { installed, skippedWithout } from '../../../support/programs.ts';

const certificate = selfSigned('app.internal');
const trusting = { servername: 'app.internal', verify: true, ca: certificate.cert };
const config = (tls: Partial<BackendTls> = {}) => ({ type: 'tls', tls: { ...trusting, ...tls } }) as const;

describe('the tls probe', () => {
  it('passes when the handshake is done, and closes in order', async () => {
    const server = createServer(certificate);
    const address = await listening(server);
    const secured = once(server, 'secureConnection', { signal: deadline() });
    await probe(address, config(), deadline());
    const [socket] = await secured;
    expect(socket.servername).toBe('app.internal');
    socket.resume();
    await once(socket, 'end', { signal: deadline() });
  });

  it.each([
    ['that passes', {}],
    ['that fails', { servername: 'db.internal' }],
  ])('tells until when the certificate is good, in a check %s', async (_, tls) => {
    const shown: string[] = [];
    const address = await listening(createServer(certificate));
    const asked = probe(address, config(tls), deadline(), 2_000, (ms) =>
      shown.push(new Date(ms).toISOString()),
    );
    await asked.catch(() => {});
    expect(shown).toEqual(['2099-12-31T23:59:59.000Z']);
  });

  it('passes on a unix socket', async () => {
    await probe(await listeningOnPath(createServer(certificate)), config(), deadline());
  });

  it('fails when the authority is unknown', async () => {
    const address = await listening(createServer(certificate));
    const refused = expect(probe(address, config({ ca: undefined }), deadline())).rejects;
    await refused.toThrow('self-signed certificate');
  });

  it('fails when the certificate has another name', async () => {
    const address = await listening(createServer(certificate));
    const refused = expect(probe(address, config({ servername: 'db.internal' }), deadline())).rejects;
    await refused.toThrow(/db\.internal.*altnames/);
  });

  it('passes whatever the certificate says when it is told not to verify', async () => {
    const address = await listening(createServer(certificate));
    await probe(address, config({ verify: false, ca: undefined, servername: undefined }), deadline());
  });

  it('fails with OpenSSL’s reason when the server does not speak TLS', async () => {
    const address = await listening(createTcpServer((socket) => socket.end('220 ready\r\n')));
    await expect(probe(address, config(), deadline())).rejects.toThrow(/^TLS failed: [a-z ]+$/);
  });

  it('stops when the signal aborts in the middle of a handshake', async () => {
    const server = createTcpServer();
    const address = await listening(server);
    const late = new AbortController();
    const outcome = expect(probe(address, config(), late.signal)).rejects.toThrow('Timed out');
    const [socket] = await once(server, 'connection', { signal: deadline() });
    late.abort(new Error('Timed out'));
    await outcome;
    socket.resume();
    await once(socket, 'close', { signal: deadline() });
  });

  describe('of a server that wants a certificate', () => {
    const [good, wrong] = [selfSigned('proxy'), selfSigned('stranger')];
    const strict = { ...certificate, ca: good.cert, requestCert: true, rejectUnauthorized: true };
    const versions = ['TLSv1.2', 'TLSv1.3'] as const;

    it.each(versions)('passes with one that the server knows, in %s', async (maxVersion) => {
      const address = await listening(createServer({ ...strict, maxVersion }));
      await probe(address, config(good));
    });

    it.each(versions)('fails where none is shown, in %s', async (maxVersion) => {
      const address = await listening(createServer({ ...strict, maxVersion }));
      await expect(probe(address, config())).rejects.toThrow(/TLS failed|reset|closed/);
    });

    it.each(versions)('fails with one that the server does not know, in %s', async (maxVersion) => {
      const address = await listening(createServer({ ...strict, maxVersion }));
      await expect(probe(address, config(wrong))).rejects.toThrow(/closed|reset|disconnected/);
    });

    it('fails where a connection is all that is asked for, for so do sessions', async () => {
      const address = await listening(createServer(strict));
      await expect(probe(address, { type: 'tcp', tls: trusting })).rejects.toThrow('certificate required');
      await probe(address, { type: 'tcp', tls: { ...trusting, ...good } });
    });
  });

  describe.skipIf(!installed('openssl'))(`of a server without tickets ${skippedWithout('openssl')}`, () => {
    it('passes though nothing says that it was taken', async () => {
      await probe(await withoutTickets(), config());
      await probe(await withoutTickets(), config(), deadline(), 100);
    });

    it('fails where the server refuses it', async () => {
      const address = await withoutTickets('-Verify', '1', '-verify_return_error');
      await expect(probe(address, config())).rejects.toThrow('certificate required');
    });
  });
});

/** OpenSSL's own server, for Node's always sends tickets. */
async function withoutTickets(...more: readonly string[]): Promise<{ host: string; port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  await Promise.all([writeFile(cert, certificate.cert), writeFile(key, certificate.key)]);
  const args = ['s_server', '-accept', '127.0.0.1:0', '-num_tickets', '0', '-cert', cert, '-key', key];
  const server = spawn('openssl', [...args, ...more], { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await once(server, 'close');
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) return { host: '127.0.0.1', port: Number(port) };
  }
  throw new Error('OpenSSL does not listen');
}
