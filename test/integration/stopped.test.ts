/** A process that is stopped for longer than peers may take (SIGSTOP, a suspended machine), and goes on. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { connect, TLSSocket } from 'node:tls';
import { expect, it } from 'vitest';
import { arrival, echo, nextText } from '../support/backends.ts';
import { selfSigned } from '../support/certificate.ts';
import { eventually } from '../support/eventually.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene } from './scene.ts';

const scene = openScene({ workers: 1 });
const certificate = certificateFiles('localhost');
const pair = selfSigned('localhost');

/** What is done within it comes while the process is stopped, and the process goes on after all time-outs. */
async function stopped(meanwhile: () => void): Promise<void> {
  scene.sluice.signal('SIGSTOP');
  meanwhile();
  await setTimeout(1_500);
  scene.sluice.signal('SIGCONT');
}

it('A client whose hello came while the process was stopped finishes its handshake', async () => {
  const backend = await scene.backend(echo);
  const tls = { certificates: [certificate], handshakeTimeout: '1s' };
  const proxy = await scene.proxy({ backends: [backend.address], listener: { tls } });
  const transport = scene.client(proxy.port);
  await eventually(async () => expect(await proxy.active()).toBe(1));
  let client: Socket | undefined;
  await stopped(() => {
    client = connect({ socket: transport, rejectUnauthorized: false, servername: 'localhost' });
    client.write('hello');
  });
  expect(client && (await nextText(client))).toBe('hello');
  client?.destroy();
  expect(await proxy.ended(1)).not.toHaveProperty('tls-failed');
});

it('A backend that answered the hello while the process was stopped is not given up', async () => {
  const backend = await scene.backend(() => {});
  const proxy = await scene.proxy({
    backends: [backend.address],
    pool: { connect: { timeout: '1s', retries: 0, tls: { verify: false } } },
  });
  const arriving = arrival(backend);
  const client = scene.client(proxy.port);
  client.write('hello');
  const transport = await arriving;
  await once(transport, 'readable');
  await stopped(() => {
    const server = new TLSSocket(transport, { isServer: true, ...pair });
    server.on('error', () => {});
    echo(server);
  });
  expect(await nextText(client)).toBe('hello');
  client.destroy();
  await proxy.ended(1);
});

it('The first in the queue gets the place of a client that left while the process was stopped', async () => {
  const backend = await scene.backend(echo);
  const proxy = await scene.proxy({
    backends: [backend.address],
    pool: { limits: { maxConnections: 1, queue: { size: 1, timeout: '1s' } } },
  });
  const arriving = arrival(backend);
  const first = scene.client(proxy.port);
  await arriving;
  const second = scene.client(proxy.port);
  second.write('hello');
  await eventually(async () => expect(await proxy.queueLength()).toBe(1));
  const text = nextText(second);
  await stopped(() => first.end());
  expect(await text).toBe('hello');
  second.end();
  await once(second, 'close');
  expect(await proxy.ended(2)).toEqual({ finished: 2 });
});
