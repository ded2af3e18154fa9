import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { usage } from '../../bench/stage/usage.ts';
import { drained, echo, ending, type TestBackend, textOf } from '../support/backends.ts';
import { eventually, settled } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const scene = openScene();

const block = Buffer.alloc(256 * 1024, 'x');

it('a client that never reads blocks its backend in bounded memory, and then gets everything', async () => {
  let going = true;
  const backend = await scene.backend((socket) => flood(socket, () => going));
  const proxy = await scene.proxy({ backends: [backend.address] });
  const before = residentMiB(proxy.sluice.pid);
  const clients = Array.from({ length: 16 }, () => scene.client(proxy.port));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  await settled(() => written(backend));
  expect(residentMiB(proxy.sluice.pid) - before).toBeLessThan(16 * mostMiBEach);

  going = false;
  const servers = [...backend.open];
  const received = await Promise.all(clients.map(drained));
  expect(received.sort()).toEqual(servers.map(({ bytesWritten }) => bytesWritten).sort());
  for (const client of clients) client.end();
  expect(await proxy.ended(16)).toEqual({ finished: 16 });
});

it('a backend that never reads blocks its client in bounded memory, and then gets everything', async () => {
  let going = true;
  const servers: Socket[] = [];
  const backend = await scene.backend((socket) => servers.push(socket));
  const proxy = await scene.proxy({ backends: [backend.address] });
  const before = residentMiB(proxy.sluice.pid);
  const clients = Array.from({ length: 16 }, () => scene.client(proxy.port));
  await Promise.all(clients.map((client) => once(client, 'connect')));
  for (const client of clients) flood(client, () => going);
  await settled(() => clients.reduce((sum, { bytesWritten }) => sum + bytesWritten, 0));
  expect(residentMiB(proxy.sluice.pid) - before).toBeLessThan(16 * mostMiBEach);

  going = false;
  const received = await Promise.all(servers.map(drained));
  expect(received.sort()).toEqual(clients.map(({ bytesWritten }) => bytesWritten).sort());
  for (const server of servers) server.end();
  expect(await proxy.ended(16)).toEqual({ finished: 16 });
});

it('100 clients that never read leave a healthy one alone', async () => {
  const backend = await scene.backend((socket) => {
    socket.once('data', (wish: Buffer) => {
      if (wish.toString() === 'flood') return flood(socket, () => true);
      socket.write('ready');
      echo(socket);
    });
  });
  const proxy = await scene.proxy({ backends: [backend.address] });
  const stalled = Array.from({ length: 100 }, () => scene.client(proxy.port));
  for (const client of stalled) client.write('flood');
  await eventually(async () => expect((await proxy.backend()).active).toBe(100));

  const healthy = scene.client(proxy.port);
  healthy.write('echo');
  expect(await textOf(healthy, 5)).toBe('ready');
  const text = 'untroubled '.repeat(100_000);
  healthy.end(text);
  expect(await ending(healthy)).toEqual({ text, reset: false });
  await eventually(async () => expect((await proxy.backend()).active).toBe(100));
});

/** Far more than a session's buffers in the process, far less than what an unbounded one would hold. */
const mostMiBEach = 4;

/** Writes for as long as the condition holds and somebody takes it, then finishes. */
function flood(socket: Socket, goesOn: () => boolean): void {
  if (goesOn() && socket.writable) socket.write(block, () => flood(socket, goesOn));
  else socket.end();
}

function written({ open }: TestBackend): number {
  return [...open].reduce((sum, { bytesWritten }) => sum + bytesWritten, 0);
}

function residentMiB(pid: number): number {
  return (usage(pid)?.residentBytes ?? 0) / (1 << 20);
}
