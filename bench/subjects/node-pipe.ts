import { fileURLToPath } from 'node:url';
import type { Subject } from './subject.ts';

/** The shortest forwarder that node:net allows: what a proxy on Node costs before it does anything else. */
export const nodePipe: Subject = {
  name: 'node-pipe',
  about: 'client.pipe(backend).pipe(client) on node:net: no policy, no limits, no log',
  cores: 1,
  presence: async () => ({ version: process.version }),
  launch: ({ listenPort, backendPort }) => ({
    command: process.execPath,
    args: [
      fileURLToPath(new URL('../programs/node-pipe.js', import.meta.url)),
      String(listenPort),
      String(backendPort),
    ],
  }),
};
