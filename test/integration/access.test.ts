import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ending, named } from '../support/backends.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
  scene.afterwards(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** What clients from these addresses get: an answer, or a reset. */
function answers({ port }: Proxied, ...from: readonly string[]): Promise<readonly string[]> {
  return Promise.all(
    from.map(async (localAddress) => {
      const client = scene.client({ port, host: '127.0.0.1', localAddress });
      client.end();
      const { text, reset } = await ending(client);
      return reset ? 'reset' : text;
    }),
  );
}

describe('an access list', () => {
  it('resets who is denied or not allowed, unseen by the backend', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { allow: ['127.0.0.0/29'], deny: ['127.0.0.2'] },
    });
    expect(await answers(proxy, '127.0.0.1', '127.0.0.2', '127.0.0.9')).toEqual(['ok', 'reset', 'reset']);
    expect(await proxy.ended(3)).toEqual({ finished: 1, denied: 2 });
    expect(backend.total).toBe(1);
  });

  it('of thousands comes from a file, to every worker', async () => {
    const backend = await scene.backend(named('ok'));
    const file = join(temporaryFolder(), 'deny.txt');
    const lines = Array.from(
      { length: 20_000 },
      (_, index) => `127.${index >> 8}.${index & 255}.7 # ${index}`,
    );
    writeFileSync(file, lines.join('\r\n'));
    const proxy = await scene.proxy({ backends: [backend.address], listener: { denyFile: file } });
    expect(
      await answers(proxy, '127.0.0.7', '127.77.255.7', '127.78.31.7', '127.78.32.7', '127.0.0.8'),
    ).toEqual(['reset', 'reset', 'reset', 'ok', 'ok']);
  });

  it('takes an IPv4 client of an IPv6 listener for an IPv4 one', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { bind: '[::]:0', allow: ['127.0.0.1', '::/0'] },
    });
    expect(await answers(proxy, '127.0.0.1', '127.0.0.2')).toEqual(['ok', 'reset']);
  });

  it('denies nobody on a unix socket', async () => {
    const backend = await scene.backend(named('ok'));
    const path = join(temporaryFolder(), 'sock');
    await scene.proxy({
      backends: [backend.address],
      listener: { bind: `unix:${path}`, allow: ['10.0.0.1'], deny: ['0.0.0.0/0', '::/0'] },
    });
    const client = scene.client(path);
    client.end();
    expect(await ending(client)).toEqual({ text: 'ok', reset: false });
  });
});
