/** What metrics tell of a proxy at work, while connections are open. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { drained, echo, named, nextText } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { openScene } from './scene.ts';

const scene = openScene();

it('the metrics tell first bytes, and bytes by backend, of connections that are open still', async () => {
  const backend = await scene.backend(echo);
  const proxy = await scene.proxy({ backends: [backend.address] });
  const pool = `pool="${proxy.pool}"`;
  const client = scene.client(proxy.port);
  await eventually(async () => expect((await proxy.backend()).total).toBe(1));
  expect(await proxy.sluice.metric(`sluice_pool_first_byte_seconds_count{${pool}}`)).toBe(0);
  for (let turn = 0; turn < 3; turn++) {
    client.write('hello');
    expect(await nextText(client)).toBe('hello');
  }
  await eventually(async () => {
    const metrics = await proxy.sluice.metrics();
    const bytes = (direction: string) =>
      metrics.get(
        `sluice_backend_bytes_total{${pool},backend="${backend.address}",direction="${direction}"}`,
      );
    expect([bytes('to_backend'), bytes('to_client')]).toEqual([15, 15]);
    expect(metrics.get(`sluice_pool_first_byte_seconds_count{${pool}}`)).toBe(1);
  });
  client.end();
  expect(await proxy.ended(1)).toEqual({ finished: 1 });
  const closed = `sluice_backend_sessions_closed_total{${pool},backend="${backend.address}",reason="finished"}`;
  expect(await proxy.sluice.metric(closed)).toBe(1);
});

it('the metrics tell what buffers hold for a client that does not read, and that it is given back', async () => {
  const servers: Socket[] = [];
  const backend = await scene.backend((socket) => servers.push(socket));
  const proxy = await scene.proxy({ backends: [backend.address] });
  const held = () => proxy.sluice.metric('sluice_buffer_memory_bytes');
  const client = scene.client(proxy.port);
  await eventually(() => expect(servers).toHaveLength(1));
  const [server] = servers;
  const block = Buffer.alloc(1024 * 1024, 'x');
  for (let blocks = 0; blocks < 64; blocks++) server?.write(block);
  await eventually(async () => expect(await held()).toBeGreaterThan(0));
  expect(await held()).toBeLessThan(await proxy.sluice.metric('sluice_buffer_memory_limit_bytes'));
  server?.end();
  expect(await drained(client)).toBe(64 * block.length);
  client.end();
  await proxy.ended(1);
  await eventually(async () => expect(await held()).toBe(0));
});

it('the metrics tell the file by the beginning of its SHA-256, also after a reload', async () => {
  const backend = await scene.backend(named('ok'));
  for (let load = 0; load < 2; load++) {
    const { sluice } = await scene.proxy({ backends: [backend.address] });
    const digest = createHash('sha256').update(readFileSync(sluice.configFile)).digest('hex');
    const hashes = [...(await sluice.metrics()).keys()].filter((name) =>
      name.startsWith('sluice_config_hash'),
    );
    expect(hashes).toEqual([`sluice_config_hash{hash="${digest.slice(0, 16)}"}`]);
  }
});

it('the metrics tell how late each worker is, of the scrape before', async () => {
  const backend = await scene.backend(named('ok'));
  const { sluice } = await scene.proxy({ backends: [backend.address] });
  await eventually(async () => {
    const series = [...(await sluice.metrics())].filter(([name]) => name.startsWith('sluice_event_loop_lag'));
    const [main, ...workers] = series;
    expect(main?.[0]).toBe('sluice_event_loop_lag_seconds{thread="main"}');
    expect(workers.length).toBeGreaterThan(0);
    for (const [, lag] of workers) expect(lag).toBeGreaterThan(0);
  });
});

it('the metrics tell how long checks took', async () => {
  const backend = await scene.backend(named('ok'));
  const proxy = await scene.proxy({
    backends: [backend.address],
    pool: { healthCheck: { type: 'tcp', interval: '100ms' } },
  });
  await eventually(async () => {
    const name = 'sluice_backend_health_check_duration_seconds';
    expect(await proxy.sluice.metric(`${name}_count{pool="${proxy.pool}"}`)).toBeGreaterThan(1);
  });
});

it('the metrics tell of a client that waits in the queue, and then how long it did', async () => {
  const backend = await scene.backend(named('ok'));
  const proxy = await scene.proxy({
    backends: [backend.address],
    pool: { limits: { maxConnections: 1, queue: { size: 3, timeout: '30s' } } },
  });
  const pool = `{pool="${proxy.pool}"}`;
  const [first, second] = [scene.client(proxy.port), scene.client(proxy.port)];
  await Promise.all([once(first, 'connect'), once(second, 'connect')]);
  await eventually(async () =>
    expect(await proxy.sluice.metric(`sluice_pool_queue_longest_wait_seconds${pool}`)).toBeGreaterThan(0),
  );
  expect(await proxy.sluice.metric(`sluice_pool_queue_wait_seconds_count${pool}`)).toBe(0);
  first.end();
  second.end();
  await proxy.ended(2);
  const metrics = await proxy.sluice.metrics();
  expect(metrics.get(`sluice_pool_queue_longest_wait_seconds${pool}`)).toBe(0);
  expect(metrics.get(`sluice_pool_queue_wait_seconds_count${pool}`)).toBe(1);
});
