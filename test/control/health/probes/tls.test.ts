import { once } from 'node:events';
import { createServer as createTcpServer } from 'node:net';
import { createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { ProbeTls } from '../../../../src/config/config.ts';
import { probe } from '../../../../src/control/health/probes/probe.ts';
import { selfSigned } from '../../../support/certificate.ts';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline } from '../../../support/probing.ts';

const certificate = selfSigned('app.internal');
const trusting: ProbeTls = { servername: 'app.internal', verify: true, ca: certificate.cert };
const config = (tls: Partial<ProbeTls> = {}) => ({ type: 'tls', tls: { ...trusting, ...tls } }) as const;

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
});
