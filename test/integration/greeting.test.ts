import { readFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import tls from 'node:tls';
import { expect, it } from 'vitest';
import { nextText } from '../support/backends.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene } from './scene.ts';

const scene = openScene();
const { cert: ca, key } = certificateFiles('service.example');

it('A backend that greets in one segment with the end of its TLS handshake has a time to its first byte', async () => {
  const certificate = { cert: readFileSync(ca), key: readFileSync(key) };
  const server = tls.createServer({ ...certificate, maxVersion: 'TLSv1.2' }, (socket) =>
    socket.write('220 ready'),
  );
  const inside = createServer((socket) => server.emit('connection', socket));
  await new Promise<void>((resolve) => inside.listen(0, '127.0.0.1', resolve));
  scene.afterwards(() => inside.close());
  const address = inside.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const backend = await scene.backend((socket) => passOn(socket, connect(port, '127.0.0.1')));
  const proxy = await scene.proxy({
    backends: [`127.0.0.1:${backend.port}`],
    pool: { connect: { tls: { servername: 'service.example', ca } } },
  });
  const client = scene.client(proxy.port);
  expect(await nextText(client)).toBe('220 ready');
  client.end();
  expect(await proxy.closed()).toMatchObject([{ firstByteMs: expect.any(Number) }]);
});

/** Keeps back the server's last flight until what it says first has come. */
function passOn(socket: Socket, server: Socket): void {
  socket.pipe(server);
  let kept = Buffer.alloc(0);
  server.on('data', (bytes: Buffer) => {
    kept = Buffer.concat([kept, bytes]);
    const types = recordTypes(kept);
    if (types.includes(changeCipherSpec) && !types.includes(applicationData)) return;
    socket.write(kept);
    kept = Buffer.alloc(0);
  });
  for (const [one, other] of [
    [socket, server],
    [server, socket],
  ] as const) {
    one.on('error', () => other.destroy());
    one.on('close', () => other.destroy());
  }
}

const changeCipherSpec = 20;
const applicationData = 23;

/** Of the records that are whole (RFC 5246, 6.2.1). */
function recordTypes(bytes: Buffer): readonly number[] {
  const types: number[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    if (end <= bytes.length) types.push(bytes.readUInt8(at));
    at = end;
  }
  return types;
}
