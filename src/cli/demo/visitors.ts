/** Clients that visit the proxy a few times a second, so that there is something to watch. */
import { Agent, request } from 'node:http';

export interface Visitors {
  close(): void;
}

const visitsPerSecond = 20;

export function startVisitors(port: number): Visitors {
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
