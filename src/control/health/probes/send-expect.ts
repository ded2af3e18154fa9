import type { Socket } from 'node:net';
import { readUntil } from './reading.ts';

interface SendExpect {
  readonly send: string | undefined;
  readonly expect: string;
}

/**
 * Sends the text, where there is one, and passes as soon as what came back begins with the expected one,
 * however it is cut into pieces. The first wrong byte fails it, so that nothing grows: never more than the
 * expected text and one chunk is held.
 */
export async function sendAndExpect(socket: Socket, { send, expect }: SendExpect): Promise<void> {
  if (send !== undefined) socket.write(send);
  const expected = Buffer.from(expect);
  let found = Buffer.alloc(0);
  const see = (chunk: Buffer): true | undefined => {
    found = Buffer.concat([found, chunk]);
    const length = Math.min(found.length, expected.length);
    if (!found.subarray(0, length).equals(expected.subarray(0, length))) throw mismatch(expected, found);
    return length === expected.length ? true : undefined;
  };
  await readUntil(socket, see, () => {
    throw mismatch(expected, found, ' and then the end');
  });
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
