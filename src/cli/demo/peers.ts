/** What stands around the proxy of the demo: three small HTTP servers, one of which is away now and then, and clients. */
import { once } from 'node:events';
import { Agent, createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How long the flaky one serves, and how long it then is away. */
const flaky = { upMs: 12_000, awayMs: 8_000 };

/** `names` are what people call them, by the addresses that the configuration has. */
export async function startBackends() {
  const names = ['amber', 'birch', 'cedar'];
  const servers = names.map(backendServer);
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
    names: new Map(names.map((name, index) => [`127.0.0.1:${ports[index]}`, name])),
    close() {
      clearTimeout(timer);
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function backendServer(name: string): Server {
  return createServer((request, response) => {
    if (request.url === '/healthz') response.end('ok\n');
    else response.end(`Hello from ${name}. You asked for ${request.url}\n`);
  });
}

async function listen(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port; // A TCP server that listens has an AddressInfo.
}

const visitsPerSecond = 20;

/** Clients that come a few times a second, so that there is something to watch. */
export function startVisitors(port: number) {
  const agent = new Agent({ keepAlive: false });
  const timer = setInterval(() => {
    request({ agent, host: '127.0.0.1', port, timeout: 5_000 }, (response) => response.resume())
      .on('error', () => {}) // Now and then a backend dies under a visitor: that is the show.
      .end();
  }, 1_000 / visitsPerSecond);
  return {
    close() {
      clearInterval(timer);
      agent.destroy();
    },
  };
}
