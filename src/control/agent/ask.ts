/** Asks an agent: connects, sends what it is to be sent, and reads its line. */
import { connect } from 'node:net';
import type { Address } from '../../core/plan.ts';
import { startTimeOut } from '../time-out.ts';

export interface AgentQuestion {
  readonly address: Address;
  readonly send: string | undefined;
  readonly timeoutMs: number;
}

/** More than anyone says. */
const mostBytes = 1_024;

/**
 * Fulfils with the line, without its end, as soon as that has come: agents may take their time to close. Rejects where
 * none comes, in time or at all.
 */
export function askAgent({ address, send, timeoutMs }: AgentQuestion, signal: AbortSignal): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true });
    let said = '';
    const end = (settle: () => void): void => {
      cancelTimeOut();
      signal.removeEventListener('abort', abort);
      socket.destroy();
      settle();
    };
    const fail = (error: Error): void => end(() => reject(error));
    const cancelTimeOut = startTimeOut(timeoutMs, () => fail(new Error(`No answer within ${timeoutMs} ms`)));
    const abort = (): void => fail(new Error('Asked no longer'));
    signal.addEventListener('abort', abort);
    socket.on('error', fail);
    if (send !== undefined) socket.write(send);
    socket.on('data', (bytes) => {
      said += bytes.toString('latin1');
      const [line = '', ...more] = said.slice(0, mostBytes).split(/[\r\n]/, 2);
      if (more.length > 0) end(() => resolve(line));
      else if (said.length >= mostBytes) fail(new Error(`No end of line within ${mostBytes} bytes`));
    });
    socket.on('end', () => fail(new Error('The answer has no end of line')));
  });
}
