/** Clients that fill what there is for the first bytes of all, and one that comes behind them. */
import { expect, it } from 'vitest';
import { echo, nextText } from '../support/backends.ts';
import { openScene } from './scene.ts';

const scene = openScene({ workers: 1 });

it('a client is served behind many that came at once, fill the memory and wait for nothing', async () => {
  const backend = await scene.backend(echo);
  const proxy = await scene.proxy({
    backends: [backend.address],
    listener: {
      inspect: { timeout: '1h', maxBytes: '64KiB' },
      routes: [{ when: { sni: 'a.example' }, pool: 'a' }],
    },
    pools: { a: { backends: [backend.address] } },
    more: { memory: { buffers: '8MiB' } },
  });
  // A ClientHello of 64 KiB begins so, in records of 16.
  const beginning = Buffer.alloc(16_000);
  Buffer.from('16030140000100fffc0303', 'hex').copy(beginning);
  const clients = Array.from({ length: 900 }, () => scene.client(proxy.port));
  await Promise.all(clients.map((client) => new Promise((resolve) => client.once('connect', resolve))));
  for (const client of clients) client.write(beginning);
  const late = scene.client(proxy.port);
  late.write('SSH-2.0-test\r\n');
  expect(await nextText(late)).toBe('SSH-2.0-test\r\n');
});
