import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { ending, named, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type BackendProcess, startBackendProcess } from './backend-process.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene({ workers: 1 });

describe('a backend', () => {
  it('that is killed takes its 20 sessions with it, and the next 20 go elsewhere', async () => {
    const victim = await backendProcess('victim');
    const proxy = await scene.proxy({
      backends: [victim.address],
      pool: { connect: { backoff: { initial: '1ms', max: '5ms' } } },
    });
    const clients = await Promise.all(Array.from({ length: 20 }, () => greeted(proxy, 'hello victim')));
    const ends = clients.map(ending);
    victim.signal('SIGKILL');
    await Promise.all(ends);
    const reasons = await proxy.ended(20);
    expect(Object.keys(reasons).every((reason) => ['finished', 'backend-reset'].includes(reason))).toBe(true);

    const other = await scene.backend(named('other'));
    const both = await scene.proxy({ backends: [victim.address, other.address] });
    await Promise.all(Array.from({ length: 20 }, () => greeted(both, 'other')));
    expect(other.open.size).toBe(20);
    expect(await both.backend(1)).toMatchObject({ active: 20 });
  });

  it('that hangs is marked down by its checks, and has its share again after it recovers', async () => {
    const hanging = await backendProcess('h');
    const other = await backendProcess('o');
    const proxy = await scene.proxy({
      backends: [hanging.address, other.address],
      pool: {
        healthCheck: { type: 'send-expect', expect: 'hello', interval: '50ms', timeout: '250ms', fall: 2 },
      },
    });
    await eventually(async () => expect(await health(proxy)).toEqual(['up', 'up']));
    hanging.signal('SIGSTOP');
    await eventually(async () => expect(await health(proxy)).toEqual(['down', 'up']));
    expect(await names(proxy, 6)).toBe('oooooo');
    hanging.signal('SIGCONT');
    await eventually(async () => expect(await health(proxy)).toEqual(['up', 'up']));
    expect([...(await names(proxy, 6))].sort().join('')).toBe('hhhooo');
  });
});

async function backendProcess(name: string, port?: number): Promise<BackendProcess> {
  const started = await startBackendProcess(name, port);
  scene.afterwards(() => started.close());
  return started;
}

async function greeted(proxy: Proxied, greeting: string): Promise<Socket> {
  const client = scene.client(proxy.port);
  expect(await textOf(client, greeting.length)).toBe(greeting);
  return client;
}

async function health(proxy: Proxied): Promise<readonly string[]> {
  return (await proxy.backends()).map((backend) => backend.health);
}

/** Who served so many clients, one after the other. */
async function names(proxy: Proxied, count: number): Promise<string> {
  let all = '';
  for (let visit = 0; visit < count; visit++) {
    const client = scene.client(proxy.port);
    all += (await textOf(client, 'hello h'.length)).slice(-1);
    client.end();
    await ending(client);
  }
  return all;
}
