import type { Socket } from 'node:net';
import { overTcp, type ProbeAddress } from './connection.ts';

interface SendExpect {
  readonly send: string | undefined;
  readonly expect: string;
}

/**
 * Sends the text, where there is one, and passes as soon as what came back begins with the expected one,
 * however it is cut into pieces. The first wrong byte fails it, so that nothing grows: never more than the
 * expected text and one chunk is held.
 */
export async function sendExpectProbe(
  address: ProbeAddress,
  { send, expect }: SendExpect,
  signal: AbortSignal,
): Promise<void> {
  await overTcp(address, signal, async (socket) => {
    if (send !== undefined) socket.write(send);
    await readPrefix(socket, Buffer.from(expect));
  });
}

async function readPrefix(socket: Socket, expected: Buffer): Promise<void> {
  let found = Buffer.alloc(0);
  for await (const chunk of socket) {
    // A socket without an encoding gives Buffers.
    found = Buffer.concat([found, chunk as Buffer]);
    const length = Math.min(found.length, expected.length);
    if (!found.subarray(0, length).equals(expected.subarray(0, length))) throw mismatch(expected, found);
    if (length === expected.length) return;
  }
  throw mismatch(expected, found, ' and then the end');
}

function mismatch(expected: Buffer, found: Buffer, after = ''): Error {
  const what = found.length === 0 ? 'nothing' : excerpt(found);
  return new Error(`Expected an answer that begins with ${excerpt(expected)}, found ${what}${after}`);
}

const excerptBytes = 64;

/** The beginning in quotes, with what cannot be printed escaped. */
function excerpt(bytes: Buffer): string {
  const more = bytes.length > excerptBytes ? '…' : '';
  return JSON.stringify(bytes.subarray(0, excerptBytes).toString()) + more;
}
