import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe, vacantPort } from '../../../support/probing.ts';

describe('the tcp probe', () => {
  it('passes when the connection stands, and closes with FIN', async () => {
    const server = createServer();
    const address = await listening(server);
    const connected = once(server, 'connection', { signal: deadline() });
    await probe(address, { type: 'tcp' }, deadline());
    const [socket] = await connected;
    socket.resume();
    // `end` is a FIN; a reset would be an error, and fail this.
    await once(socket, 'end', { signal: deadline() });
  });

  it('passes on a unix socket', async () => {
    await probe(await listeningOnPath(createServer()), { type: 'tcp' }, deadline());
  });

  it('passes on IPv6', async () => {
    await probe(await listening(createServer(), '::1'), { type: 'tcp' }, deadline());
  });

  it('fails when the connection is refused', async () => {
    const address = { host: '127.0.0.1', port: await vacantPort() };
    await expect(probe(address, { type: 'tcp' }, deadline())).rejects.toThrow('Connection refused');
  });

  it('fails when there is no such socket', async () => {
    const path = '/nonexistent/sluice.sock';
    await expect(probe({ path }, { type: 'tcp' }, deadline())).rejects.toThrow('No such socket');
  });

  it('rejects with the reason of a signal that has aborted already', async () => {
    const address = await listening(createServer());
    const signal = AbortSignal.abort(new Error('Timed out after 1 ms'));
    await expect(probe(address, { type: 'tcp' }, signal)).rejects.toThrow('Timed out after 1 ms');
  });
});
