/**
 * How the clients of the bench speak TLS: one version, cipher and group, so that every subject agrees to the
 * same. They are what OpenSSL's defaults settle on by themselves. Nothing is resumed where that is not said, and
 * nobody is trusted: checking a chain would be the load's cost alone.
 */
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { serverName } from '../subjects/subject.ts';

export const clientTls = {
  servername: serverName,
  minVersion: 'TLSv1.3',
  ciphers: 'TLS_AES_256_GCM_SHA384',
  ecdhCurve: 'X25519',
  rejectUnauthorized: false,
} as const satisfies ConnectionOptions;

/** A ticket to resume sessions with, by which any number of clients may come back while it is good. */
export async function ticket(port: number): Promise<Buffer> {
  const socket = connect({ ...clientTls, port, host: '127.0.0.1' });
  // In TLS 1.3 tickets follow the handshake. A proxy with an idle backend sends them all the same.
  const [session] = (await once(socket, 'session')) as [Buffer];
  socket.destroy();
  return session;
}

/** The first bytes of a client with all that Node offers by itself: nobody answers them, and they shall be long. */
export function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    connect({ servername: serverName, ALPNProtocols: ['h2', 'http/1.1'], socket: wire }).on(
      'error',
      () => {},
    );
  });
}
