/**
 * A backend that is a process of its own, so that signals can kill and stop it: it says hello and its name, then
 * echoes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from '../../bench/stage/free-ports.ts';

export interface BackendProcess {
  readonly port: number;
  readonly address: string;
  signal(name: NodeJS.Signals): void;
  close(): Promise<void>;
}

/** At a port that stays free when it dies, unless one is given. */
export async function startBackendProcess(name: string, at?: number): Promise<BackendProcess> {
  const port = at ?? (await freePort());
  const child = spawn(process.execPath, ['-e', script, name, String(port)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  return {
    port,
    address: `127.0.0.1:${port}`,
    signal: (signal) => child.kill(signal),
    close: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Ends with its parent, whose pipe is its standard input. */
const script = `
  const [name, port] = process.argv.slice(1);
  const server = require('node:net').createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {}).write('hello ' + name);
    socket.pipe(socket);
  });
  server.listen(Number(port), '127.0.0.1', () => process.stdout.write('listening'));
  process.stdin.on('end', () => process.exit()).resume();
`;
