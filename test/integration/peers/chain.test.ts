/** The real client's address on its way: another proxy in front of sluice, another behind it. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ending, startBackend, type TestBackend } from '../../support/backends.ts';
import { eventually } from '../../support/eventually.ts';
import { installed, output } from '../../support/programs.ts';
import { web } from '../examples/web.ts';
import { openScene, type Proxied } from '../scene.ts';
import { freePorts, Peer, versionOf } from './peer.ts';

const hasHaproxy = versionOf('haproxy', '-v') !== undefined;
const nginxBuild = versionOf('nginx', '-V') ?? '';
const hasNginx = nginxBuild.includes('--with-stream');
const versions = ['v1', 'v2'] as const;

const scene = openScene();
const from = ['127.0.0.0/8'];

/** Where sluice will be can be asked for only once it is there, so the peers in front learn of it by a reload. */
async function proxyAt(port: number, shape: Parameters<typeof scene.proxy>[0]): Promise<Proxied> {
  return await scene.proxy({ ...shape, listener: { bind: `127.0.0.1:${port}`, ...shape.listener } });
}

/** A client at another address of this machine. */
function clientAt(port: number, localAddress = '127.0.0.7'): Socket {
  return scene.client({ port, host: '127.0.0.1', localAddress });
}

async function ask(client: Socket): Promise<{ readonly text: string; readonly at: string }> {
  client.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const ended = ending(client);
  const at = await new Promise<string>((resolve) => {
    client.once('connect', () => resolve(`${client.localAddress}:${client.localPort}`));
  });
  return { text: (await ended).text, at };
}
