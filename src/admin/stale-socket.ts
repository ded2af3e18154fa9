import { lstat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';

/** Removes a unix socket that nobody listens on any more; leaves alone one that is in use, and other files. */
export async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() && !(await isInUse(path))) await unlink(path);
}

function isInUse(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    // Only a refusal proves that nobody listens: a full backlog or a lack of rights do not (connect(2)).
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code !== 'ECONNREFUSED'));
  });
}
