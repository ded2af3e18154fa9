import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ending, nextText, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const scene = openScene();

describe('a half-closed session', () => {
  it('brings a client that has finished the whole late answer, then the end', async () => {
    const { proxy, client, server } = await scene.pair();
    client.end('question');
    expect(await textOf(server, 8)).toBe('question');
    expect(await nextText(server)).toBe('');
    const answer = 'answer '.repeat(100_000);
    server.end(answer);
    expect(await ending(client)).toEqual({ text: answer, reset: false });
    expect(await proxy.closed()).toMatchObject([
      { reason: 'finished', endedBy: 'client', bytesToBackend: 8, bytesToClient: answer.length },
    ]);
  });

  it('brings a backend that has finished all that the client still sends', async () => {
    const { proxy, client, server } = await scene.pair();
    server.end('all there is');
    expect(await textOf(client, 12)).toBe('all there is');
    expect(await nextText(client)).toBe('');
    const thanks = 'thanks '.repeat(100_000);
    client.end(thanks);
    expect(await ending(server)).toEqual({ text: thanks, reset: false });
    expect(await proxy.closed()).toMatchObject([
      { reason: 'finished', endedBy: 'backend', bytesToBackend: thanks.length, bytesToClient: 12 },
    ]);
  });

  it('ends after halfClosed of silence, where the client finished first', async () => {
    const { proxy, client, server } = await scene.pair({ listener: { timeouts: { halfClosed: '150ms' } } });
    client.end('question');
    const closed = once(server, 'close');
    await textOf(server, 8);
    expect((await ending(client)).text).toBe('');
    server.resume().end();
    await closed;
    expect(await proxy.closed()).toMatchObject([{ reason: 'half-closed-timeout', endedBy: 'proxy' }]);
  });

  it('ends after halfClosed of silence, where the backend finished first', async () => {
    const backend = await scene.backend((socket) => socket.resume().end('bye'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { timeouts: { halfClosed: '150ms' } },
    });
    const client = scene.client(proxy.port);
    expect(await textOf(client, 3)).toBe('bye');
    expect(await nextText(client)).toBe('');
    expect(await proxy.closed()).toMatchObject([{ reason: 'half-closed-timeout', endedBy: 'proxy' }]);
    await eventually(() => expect(backend.open.size).toBe(0));
  });
});

describe('a session', () => {
  it('ends after idle without a byte', async () => {
    const backend = await scene.backend((socket) => {
      socket.on('end', () => socket.end()).resume();
    });
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { timeouts: { idle: '150ms' } },
    });
    const client = scene.client(proxy.port);
    client.write('the only bytes');
    await ending(client);
    expect(await proxy.closed()).toMatchObject([
      { reason: 'idle-timeout', endedBy: 'proxy', bytesToBackend: 14 },
    ]);
  });

  it('ends after idle although one side has unread bytes', async () => {
    const backend = await scene.backend((socket) => {
      const write = (): void => void (socket.writable && socket.write(Buffer.alloc(1 << 20), write));
      write();
    });
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { timeouts: { idle: '250ms' } },
    });
    const client = scene.client(proxy.port);
    await once(client, 'connect');
    expect(await proxy.closed()).toMatchObject([{ reason: 'idle-timeout', endedBy: 'proxy' }]);
  });

  it('ends after maxLifetime although bytes flow', async () => {
    const backend = await scene.backend((socket) => {
      const answer = (): void => void (socket.writable && socket.write('x'));
      socket.on('data', answer);
      answer();
    });
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { timeouts: { maxLifetime: '300ms', idle: '1m' } },
    });
    const client = scene.client(proxy.port);
    client.on('data', () => client.write('y'));
    await ending(client);
    expect(await proxy.closed()).toMatchObject([{ reason: 'lifetime-exceeded', endedBy: 'proxy' }]);
  });
});
