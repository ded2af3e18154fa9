/**
 * Whether a TLS server takes a client that asks it for nothing. In TLS 1.3 the handshake is over for the client before
 * the server has seen its certificate (RFC 8446, figure 1), so a refusal comes behind it: an alert, or with some
 * servers only the end. Up to TLS 1.2 the server's Finished comes last, and says it.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { startTimeOut } from '../../time-out.ts';

/**
 * Fulfilled once the server has taken the client, or has had the chance to refuse it; then sends FIN. A session ticket
 * is sent to clients that were taken only (RFC 8446, 4.6.1), and so are the server's own bytes. A server that stays
 * silent for `silenceMs` is told the end, to which almost all answer with theirs; it may object for `objectionMs`.
 */
export async function accepted(socket: Socket, silenceMs: number, objectionMs: number): Promise<void> {
  if (!(socket instanceof TLSSocket) || socket.getProtocol() !== 'TLSv1.3') {
    await finish(socket);
    return;
  }
  const word = await next(socket, ['session', 'data', 'end', 'close'], silenceMs);
  if (word === 'end' || word === 'close') throw new Error('The server closed after the TLS handshake');
  await finish(socket);
  if (word === undefined) await next(socket, ['session', 'data', 'end', 'close'], objectionMs);
}

/** FIN, and before it close_notify with TLS: to the server this is a client that came and left. */
function finish(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.end(() => resolve()));
}

/** The first of these that happens within the time, if any does; rejects with the socket's error. */
async function next<E extends string>(
  socket: Socket,
  events: readonly E[],
  withinMs: number,
): Promise<E | undefined> {
  const waiting = new AbortController();
  socket.resume();
  let cancel = (): void => {};
  const quiet = new Promise<undefined>((resolve) => {
    cancel = startTimeOut(withinMs, () => resolve(undefined));
  });
  try {
    const happened = events.map((event) => once(socket, event, waiting).then(() => event));
    // What is not waited for any more is called off, which rejects it.
    for (const one of happened) one.catch(() => {});
    return await Promise.race([...happened, quiet]);
  } finally {
    waiting.abort();
    cancel();
  }
}
