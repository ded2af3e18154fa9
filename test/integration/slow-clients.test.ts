import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { usage } from '../../bench/stage/usage.ts';
import { echo, ending, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene, type Proxied } from './scene.ts';

const scene = openScene();
const crowd = 500;
const inspecting = {
  inspect: { timeout: '2s', maxBytes: '16KiB' },
  routes: [
    { when: { sni: 'api.example.com' }, pool: 'api' },
    { when: { protocol: 'ssh' }, pool: 'ssh' },
  ],
};

/** Clients that connect, and do what they do with the socket until it is closed. */
function come(port: number, act: (socket: Socket) => void): readonly ReturnType<typeof ending>[] {
  return Array.from({ length: crowd }, () => {
    const client = scene.client(port);
    client.on('connect', () => act(client));
    return ending(client);
  });
}

/** The beginning of a TLS record, a byte now and then. */
function dribble(socket: Socket): void {
  let at = 0;
  const hello = Buffer.from('160301020001 0001fc0303'.replace(' ', ''), 'hex');
  const timer = setInterval(() => socket.write(hello.subarray(at, ++at)), 200);
  const end = (): void => clearInterval(timer);
  socket.on('close', end).on('error', end);
  socket.write(hello.subarray(at, ++at));
}

/** One who speaks at once is served while the crowd waits. */
async function expectServed(proxy: Proxied): Promise<void> {
  const client = scene.client(proxy.port);
  client.write('SSH-2.0-test\r\n');
  expect(await nextText(client)).toBe('SSH-2.0-test\r\n');
  client.end();
}

async function pools() {
  const [api, ssh] = [await scene.backend(echo), await scene.backend(echo)];
  return { api, ssh, pools: { api: { backends: [api.address] }, ssh: { backends: [ssh.address] } } };
}

describe('500 clients of an inspecting listener', () => {
  it('that are silent go to the fallback when their time is over', async () => {
    const fallback = await scene.backend(() => {});
    const { pools: others } = await pools();
    const proxy = await scene.proxy({ backends: [fallback.address], listener: inspecting, pools: others });
    come(proxy.port, () => {});
    await eventually(async () => expect(await proxy.active()).toBe(crowd));
    await expectServed(proxy);
    await eventually(() => expect(fallback.open.size).toBe(crowd));
  });

  it('that are silent are refused where there is no fallback', async () => {
    const { api, pools: others } = await pools();
    const proxy = await scene.proxy({
      backends: [api.address],
      listener: { ...inspecting, pool: undefined },
      pools: others,
    });
    const ends = come(proxy.port, () => {});
    await expectServed(proxy);
    for (const end of await Promise.all(ends)) expect(end).toEqual({ text: '', reset: true });
    expect(await proxy.ended(crowd + 1)).toEqual({ 'inspect-timeout': crowd, finished: 1 });
    expect(api.total).toBe(0);
  });

  it('that say a byte now and then are refused, and leave no memory behind', async () => {
    const fallback = await scene.backend(() => {});
    const { api, pools: others } = await pools();
    const proxy = await scene.proxy({ backends: [fallback.address], listener: inspecting, pools: others });
    const memory: number[] = [];
    for (let round = 1; round <= 4; round++) {
      const ends = come(proxy.port, dribble);
      await expectServed(proxy);
      for (const end of await Promise.all(ends)) expect(end).toEqual({ text: '', reset: true });
      expect(await proxy.ended(round * (crowd + 1))).toEqual({
        ...{ 'inspect-timeout': round * crowd, finished: round },
      });
      memory.push(residentMiB(proxy));
    }
    expect(fallback.total + api.total).toBe(0);
    // The first round brings what the process keeps for its next clients.
    const [first = 0] = memory;
    expect((memory.at(-1) ?? 0) - first, memory.join(' ')).toBeLessThan(16);
  });
});

function residentMiB({ sluice }: Proxied): number {
  return (usage(sluice.pid)?.residentBytes ?? 0) / 2 ** 20;
}
