import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listening, listeningOnPath } from '../../../support/loopback-server.ts';
import { deadline, probe } from '../../../support/probing.ts';

function sendExpect(send: string | undefined, expected: string) {
  return { type: 'send-expect', send, expect: expected } as const;
}

describe('the send-expect probe', () => {
  it('sends the text and passes when the answer begins as expected', async () => {
    const redis = createServer((socket) =>
      socket.on('data', (chunk) => socket.write(`${chunk}` === 'PING\r\n' ? '+PONG\r\nmore' : '-ERR\r\n')),
    );
    const address = await listening(redis);
    await probe(address, sendExpect('PING\r\n', '+PONG\r\n'), deadline());
    await expect(probe(address, sendExpect('PUNG\r\n', '+PONG\r\n'), deadline())).rejects.toThrow(
      'Expected an answer that begins with "+PONG\\r\\n", found "-ERR\\r\\n"',
    );
  });

  it('passes on a banner that comes in writes of one byte, on a unix socket too', async () => {
    const server = () => createServer({ noDelay: true }, (socket) => void dribble(socket, '220 ready\r\n'));
    await probe(await listening(server()), sendExpect(undefined, '220 ready'), deadline());
    await probe(await listeningOnPath(server()), sendExpect(undefined, '220 ready'), deadline());
  });

  it('fails at the first wrong byte, without waiting for the rest', async () => {
    const address = await listening(createServer((socket) => socket.write('5')));
    await expect(probe(address, sendExpect(undefined, '220 ready'), deadline())).rejects.toThrow('found "5"');
  });

  it('fails when the answer ends too early', async () => {
    const half = await listening(createServer((socket) => socket.end('22')));
    const none = await listening(createServer((socket) => socket.end()));
    const config = sendExpect(undefined, '220');
    await expect(probe(half, config, deadline())).rejects.toThrow('found "22" and then the end');
    await expect(probe(none, config, deadline())).rejects.toThrow('found nothing and then the end');
  });

  it('shows no more than the beginning of a long answer', async () => {
    const address = await listening(createServer((socket) => socket.write('x'.repeat(100_000))));
    const error = await probe(address, sendExpect(undefined, '220'), deadline()).catch((e: Error) => e);
    expect(error?.message.length).toBeLessThan(200);
  });

  it('fails when the connection is reset', async () => {
    const address = await listening(createServer((socket) => socket.resetAndDestroy()));
    await expect(probe(address, sendExpect('PING', '+PONG'), deadline())).rejects.toThrow('Connection reset');
  });

  it('stops when the signal aborts while the server is silent', async () => {
    const server = createServer();
    const address = await listening(server);
    const late = new AbortController();
    const outcome = expect(probe(address, sendExpect(undefined, '220'), late.signal)).rejects.toThrow(
      'Timed out',
    );
    const [socket] = await once(server, 'connection', { signal: deadline() });
    late.abort(new Error('Timed out'));
    await outcome;
    socket.resume();
    await once(socket, 'close', { signal: deadline() });
  });
});

/** One byte, one write; the next when this one is gone. */
async function dribble(socket: Socket, text: string): Promise<void> {
  for (const byte of text) {
    if (socket.destroyed) return;
    await new Promise((resolve) => socket.write(byte, resolve));
    await new Promise(setImmediate);
  }
}
