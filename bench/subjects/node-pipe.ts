import { fileURLToPath } from 'node:url';
import type { Subject } from './subject.ts';

/** The shortest forwarder that Node allows: what a proxy on it costs before it does anything else. */
export const nodePipe: Subject = {
  name: 'node-pipe',
  about:
    'client.pipe(backend).pipe(client) on node:net, the client on node:tls where it comes with TLS: no policy, no limits, no log',
  cores: 1,
  skills: ['tls'],
  presence: async () => ({ version: process.version }),
  launch: ({ listenPort, backendPort, certificate }) => ({
    command: process.execPath,
    args: [
      fileURLToPath(new URL('../programs/node-pipe.js', import.meta.url)),
      String(listenPort),
      String(backendPort),
      ...(certificate ? [certificate.cert, certificate.key] : []),
    ],
  }),
};
