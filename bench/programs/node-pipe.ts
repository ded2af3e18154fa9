/** The shortest forwarder on node:net: `node node-pipe.js LISTEN-PORT BACKEND-PORT`, both on loopback. */
import { connect, createServer } from 'node:net';

const [listenPort, backendPort] = process.argv.slice(2).map(Number);

createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
  const backend = connect({
    port: backendPort ?? 0,
    host: '127.0.0.1',
    allowHalfOpen: true,
    noDelay: true,
  });
  client.pipe(backend).pipe(client);
  client.on('error', () => backend.destroy());
  backend.on('error', () => client.destroy());
}).listen({ port: listenPort ?? 0, host: '127.0.0.1', backlog: 4096 });
