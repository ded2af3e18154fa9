/**
 * The shortest forwarder on Node: `node node-pipe.js LISTEN-PORT BACKEND-PORT [CERT KEY]`, both ports on
 * loopback. With a certificate and its key, both PEM files, it terminates TLS.
 */
import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const [listenPort, backendPort, cert, key] = process.argv.slice(2);

function forward(client: Socket): void {
  const backend = connect({
    port: Number(backendPort),
    host: '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  });
  client.pipe(backend).pipe(client);
  client.on('error', () => backend.destroy());
  backend.on('error', () => client.destroy());
}

const options = { allowHalfOpen: true, noDelay: true };
const server =
  cert === undefined || key === undefined
    ? createServer(options, forward)
    : createTlsServer({ ...options, cert: readFileSync(cert), key: readFileSync(key) }, forward);
server.listen({ port: Number(listenPort), host: '127.0.0.1', backlog: 4096 });
