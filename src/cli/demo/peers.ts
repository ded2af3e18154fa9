/**
 * What stands around the proxy of the demo: three small HTTP servers, one of which is away now and then, and clients.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** How long the flaky one serves, and how long it then is away. */
const flaky = { upMs: 12_000, awayMs: 8_000 };

/** `addresses` are what the configuration calls them. */
export async function startBackends() {
  const servers = [backendServer(), backendServer(), backendServer()];
  const ports = await Promise.all(servers.map((server) => listen(server, 0)));
  const [last, port] = [servers.at(-1), ports.at(-1)];

  let timer: NodeJS.Timeout | undefined;
  const goAway = (): void => {
    last?.close();
    last?.closeAllConnections();
    timer = setTimeout(() => void comeBack(), flaky.awayMs);
  };
  const comeBack = async (): Promise<void> => {
    if (last !== undefined && port !== undefined) await listen(last, port);
    timer = setTimeout(goAway, flaky.upMs);
  };
  timer = setTimeout(goAway, flaky.upMs);

  return {
    addresses: ports.map((one) => `127.0.0.1:${one}`),
    close() {
      clearTimeout(timer);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function backendServer(): Server {
  const server = createServer(({ url, socket }, response) => {
    if (url === '/healthz') response.end('ok\n');
    else response.end(`Hello from 127.0.0.1:${socket.localPort}. You asked for ${url}\n`);
  });
  server.keepAliveTimeout = 60_000; // The visitors say how long they stay.
  return server;
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // A TCP server that listens has an AddressInfo.
}

const visitsPerSecond = 20;
/** One of so many visitors stays for a while, so that some are always there to be seen. */
const stays = { oneOf: 5, forMs: 5_000 };

/** Clients that come a few times a second, so that there is something to watch. */
export function startVisitors(port: number) {
  const staying = new Set<Socket>();
  let visits = 0;
  const visit = (): void => {
    const stay = visits++ % stays.oneOf === 0;
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('error', () => {}); // Now and then a backend dies under a visitor: that is the show.
    socket.resume();
    socket.write(`GET / HTTP/1.1\r\nHost: demo\r\nConnection: ${stay ? 'keep-alive' : 'close'}\r\n\r\n`);
    if (!stay) return;
    staying.add(socket);
    const timer = setTimeout(() => socket.end(), stays.forMs);
    socket.once('close', () => {
      clearTimeout(timer);
      staying.delete(socket);
    });
  };
  const timer = setInterval(visit, 1_000 / visitsPerSecond);
  return {
    /** Ends all clients. */
    close() {
      clearInterval(timer);
      for (const socket of staying) socket.end();
    },
  };
}
