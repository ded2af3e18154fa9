import { createServer, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../../../bench/stage/free-ports.ts';
import { askAgent } from '../../../src/control/agent/ask.ts';
import { listenOn } from '../../conformance/peers.ts';

const never = new AbortController().signal;

/** Asks an agent that does this with whoever connects. */
async function ask(serve: (socket: Socket) => void, send?: string, timeoutMs = 10_000, signal = never) {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  const address = await listenOn(server, { host: '127.0.0.1', port: 0 });
  onTestFinished(() => void server.close());
  return askAgent({ address, send, timeoutMs }, signal);
}

describe('askAgent', () => {
  it.each(['drain 50%\n', 'drain 50%\r\n', 'drain 50%\rup\n', 'drain 50%\nup\n'])(
    'reads %j up to the first line end, and does not wait for more',
    async (text) => expect(await ask((socket) => socket.write(text))).toBe('drain 50%'),
  );

  it('reads a line in pieces', async () => {
    const line = await ask((socket) => {
      socket.write('dra');
      setImmediate(() => socket.write('in\n'));
    });
    expect(line).toBe('drain');
  });

  it('sends what the agent is to be sent', async () => {
    const line = await ask((socket) => socket.on('data', (bytes) => socket.write(bytes)), 'state\n');
    expect(line).toBe('state');
  });

  it('takes a line without an end for none', async () => {
    await expect(ask((socket) => socket.end('up'))).rejects.toThrow('no end of line');
    await expect(ask((socket) => socket.write('x'.repeat(2_000)))).rejects.toThrow('within 1024 bytes');
  });

  it('gives up where nothing comes, is there, or is wanted any more', async () => {
    await expect(ask(() => {}, undefined, 50)).rejects.toThrow('No answer within 50 ms');
    const address = { host: '127.0.0.1', port: await freePort() };
    await expect(askAgent({ address, send: undefined, timeoutMs: 9_000 }, never)).rejects.toThrow(
      'ECONNREFUSED',
    );
    const gone = new AbortController();
    const asked = ask(() => gone.abort(), undefined, 10_000, gone.signal);
    await expect(asked).rejects.toThrow('no longer');
  });
});
