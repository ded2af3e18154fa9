/**
 * The flood of `flood-load.ts`. A client of it sends a hello, waits for the answer, for which the server has to sign,
 * and leaves: that costs it far less than the server, as with those who mean harm. It has the lowest priority, as it
 * shares a core with those whose latencies are measured: what it computes itself is not to delay them.
 */
import { connect } from 'node:net';
import { constants, setPriority } from 'node:os';
import { clientHello } from './client-tls.ts';

export interface FloodOrder {
  readonly port: number;
  /** At a time. */
  readonly handshakes: number;
}

/** Begins with the first message, and answers each further one with how many handshakes were answered so far. */
process.on('message', (message: FloodOrder | 'how many') => {
  if (message === 'how many') process.send?.(answered);
  else void begin(message);
});
process.on('disconnect', () => process.exit());
setPriority(constants.priority.PRIORITY_LOW);

let answered = 0;

async function begin({ port, handshakes }: FloodOrder): Promise<void> {
  const hello = await clientHello();
  for (let running = 0; running < handshakes; running++) shake(port, hello);
}

function shake(port: number, hello: Buffer): void {
  let isAnswered = false;
  const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => socket.write(hello));
  socket.once('data', () => {
    isAnswered = true;
    answered++;
    socket.destroy();
  });
  socket.on('error', () => {});
  // One that is refused must not make this spin.
  socket.on('close', () => setTimeout(() => shake(port, hello), isAnswered ? 0 : 10));
}
