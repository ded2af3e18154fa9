import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { named } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { certificateFiles } from './certificate-files.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 1 });
const tls = { certificates: [certificateFiles('a.example')] };
const proxyProtocol = { mode: 'required', from: ['127.0.0.1'] };
const routes = [{ when: { protocol: 'http' }, pool: 'other' }];
const local = 'PROXY UNKNOWN\r\n';

const listeners: Readonly<Record<string, object>> = {
  proxyProtocol: { proxyProtocol },
  routes: { routes },
  tls: { tls },
  'tls and routes': { tls, routes },
  'proxyProtocol and tls': { tls, proxyProtocol },
  'proxyProtocol and routes': { proxyProtocol, routes },
};

async function proxyWith(listener: object, more: object = {}): Promise<Proxied> {
  const backend = await scene.backend(named('ok'));
  return scene.proxy({
    backends: [backend.address],
    listener,
    ...('routes' in listener && { pools: { other: { backends: [backend.address] } } }),
    more,
  });
}

async function visit(proxy: Proxied, sent: string, how: 'FIN' | 'RST'): Promise<void> {
  const client = scene.client(proxy.port);
  await once(client, 'connect');
  // A reset would take it out of the queue of those who wait to be accepted.
  await eventually(async () => expect(await proxy.active()).toBe(1));
  if (sent !== '') await new Promise((resolve) => client.write(sent, resolve));
  if (how === 'FIN') client.end();
  else client.resetAndDestroy();
}

describe('a client that leaves without a byte', () => {
  it.each(Object.keys(listeners))(
    'is no warning on a listener with %s, whether by FIN or by RST',
    async (kind) => {
      const proxy = await proxyWith(listeners[kind] ?? {});
      await visit(proxy, '', 'FIN');
      await proxy.ended(1);
      await visit(proxy, '', 'RST');
      const line = { level: 'info', reason: 'client-left', endedBy: 'client', attempts: 0 };
      expect(await proxy.closed(2)).toMatchObject([line, line]);
    },
  );

  it.each(['proxyProtocol and tls', 'proxyProtocol and routes'])(
    'is no warning either behind a header that names no client, with %s',
    async (kind) => {
      const proxy = await proxyWith(listeners[kind] ?? {});
      await visit(proxy, local, 'FIN');
      expect(await proxy.closed()).toMatchObject([{ level: 'info', reason: 'client-left', attempts: 0 }]);
    },
  );

  it('is in no line where log.emptySessions is false', async () => {
    const proxy = await proxyWith({ routes }, { log: { emptySessions: false } });
    await visit(proxy, '', 'FIN');
    await proxy.ended(1);
    const client = scene.client(proxy.port);
    client.end('SSH-2.0-x\r\n');
    await once(client.resume(), 'close');
    expect(await proxy.closed()).toMatchObject([{ reason: 'finished' }]);
  });
});

describe('a client that leaves after a byte', () => {
  it.each([
    ['proxyProtocol', 'PRO'],
    ['tls', '\x16\x03\x01'],
    ['proxyProtocol and tls', `${local}\x16`],
  ])('is a warning on a listener with %s', async (kind, sent) => {
    const proxy = await proxyWith(listeners[kind] ?? {});
    await visit(proxy, sent, 'FIN');
    expect(await proxy.closed()).toMatchObject([{ level: 'warn' }]);
  });
});
