import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startBackend, type TestBackend } from '../../support/backends.ts';
import { selfSigned } from '../../support/certificate.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output, run } from '../../support/programs.ts';
import { suiteEnds } from '../../support/suite-ends.ts';
import { type Example, runExample } from './example.ts';
import { web } from './web.ts';

describe.skipIf(!installed('curl', 'openssl'))(
  'config/sni.yaml (skipped where curl or OpenSSL is not installed)',
  () => {
    const afterwards = suiteEnds();
    const sent: Buffer[] = [];
    const arrived: Buffer[] = [];
    let example: Example;
    let entrance: TestBackend;

    /** A TLS server with a certificate for these names; it answers with the first, and the protocol agreed on. */
    async function backend(...names: readonly string[]): Promise<number> {
      const options = { ...selfSigned(...names), ALPNProtocols: ['h2', 'http/1.1'] };
      const server = createTlsServer(options, (socket) =>
        web(`${names[0]}, ${socket.alpnProtocol || 'none'}`)(socket.on('error', () => {})),
      );
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo; // A TCP server that listens has such an address.
      const tapped = await startBackend(passOn(() => port, arrived));
      for (const stop of [tapped.close, () => server.close()]) afterwards(stop);
      return tapped.port;
    }

    beforeAll(async () => {
      const site = await backend('example.com', 'www.example.com', 'localhost');
      const api = await backend('api.example.com', '*.api.example.com');
      const grpc = await backend('grpc.example.com');
      example = await runExample('sni', { 9443: site, 9444: api, 9445: grpc });
      afterwards(example.end);
      entrance = await startBackend(passOn(() => example.port, sent));
      afterwards(entrance.close);
    });

    beforeEach(() => {
      sent.length = 0;
      arrived.length = 0;
    });

    const ask = (name: string, ...more: readonly string[]) => {
      const there = `${name}:${entrance.port}`;
      return output('curl', ['-sk', ...more, '--resolve', `${there}:127.0.0.1`, `https://${there}/`]);
    };

    it.each([
      { name: 'api.example.com', found: 'api.example.com' },
      { name: 'API.Example.COM', found: 'api.example.com' },
      { name: 'eu.api.example.com', found: 'api.example.com' },
      { name: 'www.example.com', found: 'example.com' },
      { name: 'xapi.example.com', found: 'example.com' },
    ])('gives curl, which asks for $name, to $found, byte for byte', async ({ name, found }) => {
      for (const version of ['--tlsv1.3', '--tls-max=1.2']) {
        const [flag = '', value] = version.split('=');
        const said = await ask(name, '--http1.1', flag, ...(value === undefined ? [] : [value]));
        expect(said).toBe(`${found}, http/1.1`);
      }
      await eventually(() => expect(Buffer.concat(arrived)).toEqual(Buffer.concat(sent)));
      expect(Buffer.concat(sent).length).toBeGreaterThan(1_000);
    });

    it('gives a client that offers h2 and asks for the name to the pool of both', async () => {
      const hello = ['s_client', '-connect', `127.0.0.1:${entrance.port}`, '-brief'];
      for (const [alpn, found] of [
        ['h2', 'grpc.example.com'],
        ['http/1.1', 'example.com'],
      ]) {
        const asked = [...hello, '-servername', 'grpc.example.com', '-alpn', `${alpn}`];
        const { stderr } = await run('openssl', asked);
        expect(stderr).toMatch(new RegExp(`Peer certificate: CN = ${found}$`, 'm'));
      }
    });

    it('gives a client that asks for no name to the fallback', async () => {
      const { stderr } = await run('openssl', [
        ...['s_client', '-connect', `127.0.0.1:${entrance.port}`, '-noservername', '-brief'],
      ]);
      expect(stderr).toMatch(/Peer certificate: CN = example\.com$/m);
    });

    it('logs the name that was asked for', async () => {
      await ask('eu.api.example.com', '--http1.1');
      await example.sluice.logged(
        (line) =>
          line['sni'] === 'eu.api.example.com' && line['protocol'] === 'tls' && line['pool'] === 'api',
      );
    });
  },
);

/** Passes a connection on to a port, and keeps what the one who connected says. */
function passOn(port: () => number, heard: Buffer[]): (socket: Socket) => void {
  return (socket) => {
    const onward = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
    onward.on('error', () => {}).on('close', () => socket.destroy());
    socket.on('data', (bytes: Buffer) => heard.push(bytes)).on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  };
}
