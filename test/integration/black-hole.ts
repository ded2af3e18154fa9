/**
 * A port whose SYNs nobody answers: a process listens there whose accept queue is full and that never accepts.
 * Linux's way; elsewhere a full queue may refuse.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

export interface BlackHole {
  readonly address: string;
  close(): Promise<void>;
}

/** On this port, or on any that is free. */
export async function openBlackHole(port = 0): Promise<BlackHole> {
  const child = spawn(process.execPath, ['-e', listenAndSleep, String(port)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [bound]: unknown[] = await once(child.stdout, 'data');
  const taken = Number(String(bound));
  // The kernel queues one more than the backlog of 1; a third connection finds the queue full.
  const fillers = [0, 1].map(() => connect(taken, '127.0.0.1').on('error', () => {}));
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    address: `127.0.0.1:${taken}`,
    async close() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
      for (const filler of fillers) filler.destroy();
    },
  };
}

/** The port is written before the only thread goes to sleep for good; a minute bounds it if nobody ends it. */
const listenAndSleep = `
  const server = require('node:net').createServer();
  server.listen({ port: Number(process.argv[1]), host: '127.0.0.1', backlog: 1 }, () => {
    require('node:fs').writeSync(1, String(server.address().port));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
  });
`;
