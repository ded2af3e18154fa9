import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { echo, ending, named, nextText, startBackend, textOf } from '../support/backends.ts';
import { hasIpv6 } from '../support/ipv6.ts';
import { Sluice } from '../support/sluice.ts';
import { openScene } from './scene.ts';

// A unix socket is one worker's: `serving` does not wait for others, whose descriptors would come later.
const scene = openScene({ workers: 1 });

describe('a unix socket', () => {
  it('is served on both sides, half-close included', async () => {
    const folder = scratchFolder();
    const backend = await scene.backend(echo, { path: join(folder, 'backend') });
    const front = join(folder, 'front');
    const proxy = await scene.proxy({ backends: [backend.address], listener: { bind: `unix:${front}` } });
    const client = scene.client(front);
    const text = 'through the file system '.repeat(50_000);
    client.end(text);
    expect(await ending(client)).toEqual({ text, reset: false });
    expect(await proxy.closed()).toMatchObject([
      { client: 'unix', backend: backend.address, reason: 'finished', bytesToClient: text.length },
    ]);
  });

  it('that nobody has made is a refused dial', async () => {
    const missing = `unix:${join(scratchFolder(), 'missing')}`;
    const proxy = await scene.proxy({ backends: [missing], pool: { connect: { retries: 0 } } });
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);
    expect(await proxy.closed()).toMatchObject([{ reason: 'connect-refused', backend: missing }]);
  });

  it('left behind by a killed process is taken over, and removed by a graceful stop', async () => {
    const front = join(scratchFolder(), 'front');
    const backend = await startBackend(named('ok'));
    const config = `
version: 1
listeners: { web: { bind: "unix:${front}", pool: app } }
pools: { app: { backends: [ "${backend.address}" ] } }
`;
    const killed = await Sluice.run(config);
    killed.signal('SIGKILL');
    await killed.ended;
    expect(existsSync(front)).toBe(true);
    const next = await Sluice.run(config);
    const client = scene.client(front);
    expect(await textOf(client, 2)).toBe('ok');
    client.end();
    expect(await nextText(client)).toBe('');
    await backend.close();
    next.signal('SIGTERM');
    expect(await next.ended).toBe(0);
    expect(existsSync(front)).toBe(false);
    await Promise.all([killed.stop(), next.stop()]);
  });
});

describe.skipIf(!hasIpv6)('IPv6 (skipped where ::1 can not be bound)', () => {
  it('is served on both sides', async () => {
    const backend = await scene.backend(named('six'), { host: '::1', port: 0 });
    const address = `[::1]:${backend.port}`;
    const proxy = await scene.proxy({ backends: [address], listener: { bind: '[::1]:0' } });
    expect(proxy.bind).toMatch(/^\[::1]:\d+$/);
    const client = scene.client({ host: '::1', port: proxy.port });
    expect(await textOf(client, 3)).toBe('six');
    client.end();
    expect(await nextText(client)).toBe('');
    const [line] = await proxy.closed();
    expect(line).toMatchObject({ backend: address, reason: 'finished' });
    expect(line?.['client']).toMatch(/^\[::1]:\d+$/);
  });

  it('and IPv4 come in through one listener on every interface', async () => {
    const backend = await scene.backend(named('any'));
    const proxy = await scene.proxy({ backends: [backend.address], listener: { bind: ':0' } });
    for (const host of ['127.0.0.1', '::1']) {
      const client = scene.client({ host, port: proxy.port });
      expect(await textOf(client, 3)).toBe('any');
      client.end();
    }
    const clients = (await proxy.closed(2)).map((line) => String(line['client']));
    expect(clients.map((client) => client.replace(/:\d+$/, '')).sort()).toEqual(['127.0.0.1', '[::1]']);
  });
});

describe('a listener', () => {
  it('accepts on all addresses of a list', async () => {
    const folder = scratchFolder();
    const backend = await scene.backend(named('ok'));
    const front = join(folder, 'front');
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { bind: ['127.0.0.1:0', `unix:${front}`] },
    });
    const { listeners } = await proxy.sluice.status();
    const bind: unknown = listeners[proxy.listener]?.bind;
    expect(bind).toEqual([expect.stringMatching(/^127\.0\.0\.1:\d+$/), `unix:${front}`]);
    const port = Number(/:(\d+)/.exec(String(bind))?.[1]);
    expect(await textOf(scene.client(port), 2)).toBe('ok');
    expect(await textOf(scene.client(front), 2)).toBe('ok');
  });
});

function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  scene.afterwards(() => rmSync(folder, { recursive: true }));
  return folder;
}
