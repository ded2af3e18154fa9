import type { Socket } from 'node:net';

/**
 * Hands over what is read until `see` gives a result. Where the other end finishes before, `seeEnd` must give one; both
 * may throw instead. Rejects with the socket's error.
 */
export function readUntil<T extends {}>(
  socket: Socket,
  see: (chunk: Buffer) => T | undefined,
  seeEnd: () => T,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const decide = (look: () => T | undefined): void => {
      try {
        const result = look();
        if (result === undefined) return;
        resolve(result);
      } catch (error) {
        reject(error);
      }
      socket.off('data', seeChunk).off('end', atEnd);
    };
    const seeChunk = (chunk: Buffer): void => decide(() => see(chunk));
    const atEnd = (): void => decide(seeEnd);
    socket.on('data', seeChunk).on('end', atEnd);
    socket.once('error', reject);
    // The socket may be destroyed without an error, or may have been before.
    socket.once('close', () => reject(new Error('Connection closed early')));
    if (socket.destroyed) reject(socket.errored ?? new Error('Connection closed early'));
  });
}
