import type { Socket } from 'node:net';

/**
 * Leaves without haste: sends FIN and throws away what still comes, so that a server which is writing its answer does
 * not find a reset in its log. It has a quarter of a second and 64 KiB for that, in which no probe waits for it.
 */
export function leave(socket: Socket): void {
  let bytes = 0;
  const timer = setTimeout(() => socket.destroy(), 250).unref();
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > 64 * 1024) socket.destroy();
  });
  socket.once('end', () => socket.destroy()).once('close', () => clearTimeout(timer));
  if (!socket.writableEnded) socket.end();
  socket.resume();
  if (socket.readableEnded) socket.destroy();
}
