// A process of clients and a backend, for tests in which the driver's own process runs out of descriptors.
import net from 'node:net';

const backend = net.createServer((socket) => socket.on('error', () => {}).pipe(socket));
backend.listen(0, '127.0.0.1', () => process.send({ backend: backend.address().port }));

const clients = new Set();

let settled = 0;
let served = 0;

process.on('message', ({ port, connect, leave, count }) => {
  if (count) return process.send({ settled, served });
  if (leave) {
    for (const client of clients) client.destroy();
    clients.clear();
    return;
  }
  settled = 0;
  served = 0;
  for (let i = 0; i < connect; i++) {
    const client = net.connect(port, '127.0.0.1', () => client.write('x'));
    clients.add(client);
    const settle = (isServed) => {
      if (client.isSettled || !clients.has(client)) return;
      client.isSettled = true;
      if (isServed) served++;
      settled++;
    };
    client.on('data', () => settle(true));
    client.on('error', () => settle(false));
    client.on('close', () => settle(false));
  }
});

process.on('disconnect', () => process.exit());
