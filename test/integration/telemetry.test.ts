import { describe, expect, it } from 'vitest';
import { ending, named, textOf } from '../support/backends.ts';
import { eventually } from '../support/eventually.ts';
import { type LogLine, Sluice } from '../support/sluice.ts';
import { openScene } from './scene.ts';

const scene = openScene();

describe('the log', () => {
  it('has a bounded number of lines a second for refused clients, and counts all of them', async () => {
    const proxy = await scene.proxy({
      backends: [await scene.deadBackend()],
      pool: { connect: { retries: 0 } },
    });
    for (let round = 0; round < 6; round++) {
      await Promise.all(Array.from({ length: 50 }, () => ending(scene.client(proxy.port))));
    }
    await eventually(async () => {
      const lines = await proxy.closed();
      expect(lines.every(({ level }) => level === 'warn')).toBe(true);
      const leftOut = lines.reduce((sum, line) => sum + Number(line['leftOut'] ?? 0), 0);
      expect(lines.length + leftOut).toBe(300);
      expect(await proxy.sluice.metric('sluice_log_lines_left_out_total')).toBe(leftOut);
    });
    const reasons = new Set((await proxy.closed()).map(({ reason }) => reason));
    for (const reason of reasons) {
      const lines = (await proxy.closed()).filter((line) => line['reason'] === reason);
      const times = lines.map((line) => Date.parse(String(line['time'])));
      const seconds = Math.ceil((Math.max(...times) - Math.min(...times)) / 1_000) + 1;
      expect(lines.length).toBeLessThanOrEqual(11 * seconds);
    }
  });

  it('has lines of sessions that go on where they are wanted', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      more: { log: { sessions: { start: true, every: '200ms' } } },
    });
    const client = scene.client(proxy.port);
    expect(await textOf(client, 2)).toBe('ok');
    const isOurs = (message: string) => (line: LogLine) =>
      line.msg === message && line['listener'] === proxy.listener;
    const opened = await proxy.sluice.logged(isOurs('session opened'));
    expect(opened).toMatchObject({ level: 'info', pool: proxy.pool, backend: backend.address, attempts: 1 });
    expect(await proxy.sluice.logged(isOurs('session goes on'))).toMatchObject({ bytesToClient: 2 });
    client.end();
    expect(await proxy.closed()).toMatchObject([{ client: opened['client'], reason: 'finished' }]);
  });

  it('has no line for a session that ran where log.sessions is false', async () => {
    const backend = await scene.backend(named('ok'));
    const proxy = await scene.proxy({
      backends: [backend.address],
      listener: { limits: { maxConnections: 1 } },
      more: { log: { sessions: false } },
    });
    const client = scene.client(proxy.port);
    expect(await textOf(client, 2)).toBe('ok');
    expect((await ending(scene.client(proxy.port))).reset).toBe(true);
    client.end();
    await proxy.ended(2);
    expect(await proxy.closed()).toMatchObject([{ reason: 'listener-full' }]);
  });
});

it('the metrics have every series from the start', async () => {
  const backend = await scene.backend(named('ok'));
  const proxy = await scene.proxy({ backends: [backend.address] });
  const series = [...(await proxy.sluice.metrics()).keys()];
  const listener = `listener="${proxy.listener}"`;
  const pool = `pool="${proxy.pool}"`;
  const one = `${pool},backend="${backend.address}"`;
  expect(series).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^sluice_build_info\{version="[^"]+",node="v[^"]+",driver="(portable|uring)"\}$/),
      `sluice_listener_connections_total{${listener}}`,
      `sluice_listener_connections_active{${listener}}`,
      `sluice_sessions_closed_total{${listener},reason="finished"}`,
      `sluice_sessions_closed_total{${listener},reason="client-left"}`,
      `sluice_session_duration_seconds_count{${listener}}`,
      `sluice_session_duration_seconds_sum{${listener}}`,
      `sluice_bytes_total{${listener},direction="to_backend"}`,
      `sluice_bytes_total{${listener},direction="to_client"}`,
      `sluice_backend_connections_total{${one}}`,
      `sluice_backend_connections_active{${one}}`,
      `sluice_backend_connect_duration_seconds_count{${pool}}`,
      ...['connect-refused', 'connect-timeout', 'connect-failed'].map(
        (reason) => `sluice_backend_connect_failures_total{${one},reason="${reason}"}`,
      ),
      `sluice_backend_up{${one}}`,
      `sluice_backend_health_checks_total{${one},result="pass"}`,
      `sluice_backend_health_checks_total{${one},result="fail"}`,
      ...['closed', 'open', 'half-open'].map(
        (state) => `sluice_backend_circuit_state{${one},state="${state}"}`,
      ),
      `sluice_backend_circuit_opened_total{${one}}`,
      `sluice_pool_queue_length{${pool}}`,
      'sluice_config_reloads_total{result="success"}',
      'sluice_config_reloads_total{result="failure"}',
      'sluice_config_last_reload_success_timestamp_seconds',
      'sluice_draining',
    ]),
  );
  const reasons = series.filter((name) => name.startsWith(`sluice_sessions_closed_total{${listener}`));
  expect(reasons).toHaveLength(26);
});

describe('the admin API', () => {
  it('wants its token for everything but liveness and readiness', async () => {
    const backend = await scene.backend(named('ok'));
    const sluice = await Sluice.run(`
version: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: [ "${backend.address}" ] } }
admin: { bind: "127.0.0.1:0", token: open-sesame }
`);
    scene.afterwards(() => sluice.stop());
    const code = async (path: string, authorization?: string): Promise<number> =>
      (await sluice.ask(path, 'GET', authorization === undefined ? {} : { authorization })).code;
    expect([await code('/livez'), await code('/readyz')]).toEqual([200, 200]);
    for (const path of ['/metrics', '/api/v1/status']) {
      expect(await code(path)).toBe(401);
      expect(await code(path, 'Bearer open-says-me')).toBe(401);
      expect(await code(path, 'Bearer open-sesame')).toBe(200);
    }
    expect((await sluice.api('POST reload')).code).toBe(401);
  });

  it('refuses what a web page could send', async () => {
    const backend = await scene.backend(named('ok'));
    const { sluice } = await scene.proxy({ backends: [backend.address] });
    expect((await sluice.ask('/metrics', 'GET', { origin: 'http://evil.example' })).code).toBe(403);
    expect((await sluice.ask('/metrics', 'GET', { host: 'evil.example' })).code).toBe(421);
    expect((await sluice.ask('/api/v1/reload', 'POST', { origin: 'null' })).code).toBe(403);
  });
});
