import { readFileSync } from 'node:fs';
import type net from 'node:net';
import { eventually } from './peers.ts';
import type { Spec } from './spec.ts';

export function keepAlive(spec: Spec): void {
  if (process.platform !== 'linux') return;

  spec('Driver has the system ask silent peers on both sides whether they are there', async (rig) => {
    const { client, backend } = await rig.pair();
    for (const socket of [client, backend])
      await eventually('keep-alive is on', () => awaitsKeepAlive(socket));
  });
}

/**
 * Whether the driver's end of the connection has that timer: rows of /proc/net/tcp have both ends as hexadecimal
 * `address:port`, its own first, and after state and queues a timer's kind, of which 2 is this one (proc_net_tcp(5)).
 */
function awaitsKeepAlive({ localPort = 0, remotePort = 0 }: net.Socket): boolean {
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .some(
      ([, local, remote, , , timer]) =>
        portOf(local) === remotePort && portOf(remote) === localPort && timer?.startsWith('02:'),
    );
}

function portOf(end = ''): number {
  return Number.parseInt(end.slice(end.indexOf(':') + 1), 16);
}
