import type { Socket } from 'node:net';
import type { Question } from '../question.ts';
import { accepted } from './acceptance.ts';
import { type CertificateShown, connected } from './connection.ts';
import { readable } from './failure.ts';
import { exchange } from './http.ts';
import { sendAndExpect } from './send-expect.ts';

/**
 * Asks a backend once whether it is well, over a connection of its own. Fulfilled when it is; rejects with an
 * error whose message people can read, and with the signal's reason soon after the signal aborts. The
 * connection is closed either way. `timeoutMs` is what the signal's owner waits for.
 */
export async function probe(
  question: Question,
  signal: AbortSignal,
  timeoutMs: number,
  certificateShown: CertificateShown = () => {},
): Promise<void> {
  try {
    signal.throwIfAborted();
    const startedMs = performance.now();
    const socket = await connected(question, signal, certificateShown);
    try {
      const connectedInMs = performance.now() - startedMs;
      await ask(socket, question, connectedInMs, timeoutMs);
      leave(socket);
    } catch (error) {
      socket.destroy();
      throw error;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : readable(error);
  }
}

function ask(socket: Socket, { asked }: Question, connectedInMs: number, timeoutMs: number): Promise<void> {
  switch (asked.type) {
    case 'connect':
      return accepted(socket, silenceMs(connectedInMs, timeoutMs), timeoutMs / 2);
    case 'http':
      return exchange(socket, asked.http);
    case 'send-expect':
      return sendAndExpect(socket, asked);
  }
}

/** A refusal takes one round trip, and connecting took at least two; never longer than the time-out. */
function silenceMs(connectedInMs: number, timeoutMs: number): number {
  return Math.min(Math.max(100, 2 * connectedInMs), timeoutMs / 4);
}

/**
 * Leaves without haste: sends FIN and throws away what still comes, so that a server which is writing its answer does
 * not find a reset in its log. It has a quarter of a second and 64 KiB for that, in which no probe waits for it.
 */
function leave(socket: Socket): void {
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
