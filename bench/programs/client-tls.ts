/**
 * How the clients of the bench speak TLS: one version, cipher and group, so that every subject agrees to the
 * same. They are what OpenSSL's defaults settle on by themselves. Nothing is resumed, and nobody is trusted:
 * checking a chain would be the load's cost alone.
 */
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
