import type { Socket } from 'node:net';
import type { ProbeHttp } from '../../../config/config.ts';
import { readUntil } from './reading.ts';
import { StatusReader } from './status-reader.ts';

/** Passes when the answer's status is among the expected. Redirects are not followed: a 301 is a 301. */
export async function exchange(
  socket: Socket,
  { method, path, host, expectStatus }: ProbeHttp & { readonly host: string },
): Promise<void> {
  const passes = (status: number): boolean =>
    expectStatus.some(({ from, to }) => status >= from && status <= to);
  // One request on a connection of its own: a kept one would hide that its listener has died.
  const length = method === 'POST' ? ['Content-Length: 0'] : [];
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...length, 'Connection: close'];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);

  const reader = new StatusReader(passes);
  const status = await readUntil(
    socket,
    (chunk) => reader.push(chunk),
    () => reader.end(),
  );
  if (!passes(status)) throw new Error(`Expected status ${rangesText(expectStatus)}, found ${status}`);
}

function rangesText(ranges: ProbeHttp['expectStatus']): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(' or ');
}
