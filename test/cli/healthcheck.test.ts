import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { program } from '../../src/cli/program.ts';

test('sluice healthcheck gives up on one that answers a byte now and then', async () => {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    socket.write('HTTP/1.1 200 OK\r\n');
    const drip = setInterval(() => socket.write('x-more: to come\r\n'), 100);
    socket.on('close', () => clearInterval(drip));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // It listens on a port.
  expect(await program(['node', 'sluice', 'healthcheck', '--admin', `127.0.0.1:${port}`])).toBe(1);
  for (const socket of sockets) socket.destroy();
  server.close();
});
