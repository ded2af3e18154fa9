/** PROXY headers to and from other proxies: sent before a request, and taken from what comes to a backend. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ProxiedEnds, ProxyParseResult } from '../../../src/core/wire/proxy-header.ts';
import { ProxyHeaderParser } from '../../../src/core/wire/proxy-reading.ts';
import { ending, type TestBackend } from '../../support/backends.ts';

export const ipv4Ends: ProxiedEnds = {
  client: { address: '192.0.2.1', port: 1234 },
  destination: { address: '192.0.2.2', port: 443 },
};
export const ipv6Ends: ProxiedEnds = {
  client: { address: '2001:db8::1', port: 65535 },
  destination: { address: '2001:db8::2', port: 1 },
};
export const mixedEnds: ProxiedEnds = {
  client: { address: '2001:db8::1', port: 1234 },
  destination: { address: '192.0.2.2', port: 443 },
};

export const payload = 'what the client says';

/** What comes to the backend on the connection that the peer makes for this client. */
export function headerFrom(backend: TestBackend, client: Socket): ReturnType<typeof headerAt> {
  client.write(payload);
  return new Promise((resolve, reject) => {
    const look = (socket: Socket): void => {
      headerAt(socket, payload.length).then((arrived) => {
        // Nobody spoke on the connections that asked whether the peer accepts yet.
        const { state } = arrived.finding;
        if (state === 'incomplete' || (state === 'complete' && arrived.rest === '')) return;
        backend.server.off('connection', look);
        resolve(arrived);
      }, reject);
    };
    backend.server.on('connection', look);
  });
}

/** Reads until the header was found and so many bytes came behind it. */
export async function headerAt(socket: Socket, payloadBytes: number) {
  const parser = new ProxyHeaderParser();
  let bytes = Buffer.alloc(0);
  let finding: ProxyParseResult = { state: 'incomplete' };
  for await (const more of socket.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, more]);
    finding = parser.read(bytes);
    if (finding.state === 'complete' && bytes.length >= finding.length + payloadBytes) break;
    if (finding.state === 'broken' || finding.state === 'mismatch') break;
  }
  const length = finding.state === 'complete' ? finding.length : bytes.length;
  return { finding, header: bytes.subarray(0, length), rest: bytes.subarray(length).toString() };
}

export function open(
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Socket {
  const socket = connect(where);
  endsWithTest(socket);
  return socket;
}

export function endsWithTest(socket: Socket): void {
  socket.on('error', () => {});
  onTestFinished(() => void socket.destroy());
}

/** The ends of a connection as the one who made it sees them. */
export function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket) {
  return {
    client: { address: localAddress, port: localPort },
    destination: { address: remoteAddress, port: remotePort },
  };
}

export function written({ client, destination }: ProxiedEnds): string {
  return `${client.address} ${client.port} ${destination.address} ${destination.port}`;
}

/** What an HTTP server says to a request behind this header; nothing where it closes without a word. */
export async function answerTo(port: number, header: Uint8Array): Promise<string> {
  const socket = open({ host: '127.0.0.1', port });
  socket.write(
    Buffer.concat([header, Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')]),
  );
  return (await ending(socket)).text;
}
