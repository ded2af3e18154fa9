import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { layers } from '../../src/core/admin-state.ts';
import { reasons, servedReasons } from '../../src/core/reasons.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';
import { FakeSource, fakePlan } from './fake-source.ts';
import { samplesOf, sumOf } from './samples.ts';

const app1 = 'pool="app",backend="10.0.0.1:9000"';

const check = (pass: boolean) => ({ atMs: 1_000, tookMs: 2, pass, detail: 'as the test says' });

describe('Metrics', () => {
  test('has every series of the contract from the start', async () => {
    const source = new FakeSource();
    const text = await new Metrics(source, () => 1_700_000_005_000).text();
    const names = [...text.matchAll(/^# TYPE (sluice_\w+) (\w+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    );
    expect(names.sort()).toEqual([
      'sluice_backend_bytes_total counter',
      'sluice_backend_certificate_expiry_timestamp_seconds gauge',
      'sluice_backend_circuit_opened_total counter',
      'sluice_backend_circuit_state gauge',
      'sluice_backend_connect_duration_seconds histogram',
      'sluice_backend_connect_failures_total counter',
      'sluice_backend_connections_active gauge',
      'sluice_backend_connections_limit gauge',
      'sluice_backend_connections_total counter',
      'sluice_backend_first_byte_seconds summary',
      'sluice_backend_health_check_duration_seconds histogram',
      'sluice_backend_health_checks_total counter',
      'sluice_backend_session_duration_seconds histogram',
      'sluice_backend_sessions_closed_total counter',
      'sluice_backend_state gauge',
      'sluice_backend_up gauge',
      'sluice_backend_weight gauge',
      'sluice_buffer_memory_bytes gauge',
      'sluice_buffer_memory_limit_bytes gauge',
      'sluice_build_info gauge',
      'sluice_bytes_total counter',
      'sluice_certificate_expiry_timestamp_seconds gauge',
      'sluice_config_age_seconds gauge',
      'sluice_config_hash gauge',
      'sluice_config_last_reload_success_timestamp_seconds gauge',
      'sluice_config_last_reload_successful gauge',
      'sluice_config_reloads_total counter',
      'sluice_descriptors_limit gauge',
      'sluice_descriptors_open gauge',
      'sluice_dial_retries_total counter',
      'sluice_dns_failures_total counter',
      'sluice_dns_last_success_timestamp_seconds gauge',
      'sluice_draining gauge',
      'sluice_event_loop_lag_seconds gauge',
      'sluice_listener_accept_state gauge',
      'sluice_listener_connections_active gauge',
      'sluice_listener_connections_limit gauge',
      'sluice_listener_connections_total counter',
      'sluice_log_lines_left_out_total counter',
      'sluice_pool_certificate_expiry_timestamp_seconds gauge',
      'sluice_pool_connections_active gauge',
      'sluice_pool_connections_limit gauge',
      'sluice_pool_first_byte_seconds histogram',
      'sluice_pool_held gauge',
      'sluice_pool_queue_length gauge',
      'sluice_pool_queue_limit gauge',
      'sluice_pool_queue_longest_wait_seconds gauge',
      'sluice_pool_queue_wait_seconds histogram',
      'sluice_session_duration_seconds histogram',
      'sluice_sessions_closed_total counter',
      'sluice_worker_restarts_total counter',
    ]);
    expect(text).toContain('sluice_listener_connections_limit{listener="web"} +Inf\n');
    const samples = samplesOf(text);
    const zero = [
      'sluice_listener_connections_total{listener="web"}',
      'sluice_listener_connections_active{listener="web"}',
      ...reasons.map((reason) => `sluice_sessions_closed_total{listener="api",reason="${reason}"}`),
      'sluice_session_duration_seconds_bucket{listener="web",le="0.005"}',
      'sluice_session_duration_seconds_bucket{listener="web",le="+Inf"}',
      'sluice_session_duration_seconds_sum{listener="web"}',
      'sluice_session_duration_seconds_count{listener="web"}',
      'sluice_bytes_total{listener="web",direction="to_backend"}',
      'sluice_bytes_total{listener="web",direction="to_client"}',
      `sluice_backend_connections_total{${app1}}`,
      `sluice_backend_connections_active{${app1}}`,
      'sluice_backend_connect_duration_seconds_count{pool="db"}',
      `sluice_backend_connect_failures_total{${app1},reason="connect-refused"}`,
      `sluice_backend_connect_failures_total{${app1},reason="connect-timeout"}`,
      `sluice_backend_connect_failures_total{${app1},reason="connect-failed"}`,
      `sluice_backend_health_checks_total{${app1},result="pass"}`,
      `sluice_backend_health_checks_total{${app1},result="fail"}`,
      `sluice_backend_circuit_state{${app1},state="open"}`,
      `sluice_backend_circuit_state{${app1},state="half-open"}`,
      `sluice_backend_circuit_opened_total{${app1}}`,
      ...layers.map((layer) => `sluice_backend_state{${app1},layer="${layer}"}`),
      ...servedReasons.map((reason) => `sluice_backend_sessions_closed_total{${app1},reason="${reason}"}`),
      `sluice_backend_bytes_total{${app1},direction="to_backend"}`,
      `sluice_backend_bytes_total{${app1},direction="to_client"}`,
      'sluice_pool_connections_active{pool="app"}',
      'sluice_pool_queue_length{pool="app"}',
      'sluice_pool_queue_limit{pool="app"}',
      'sluice_pool_queue_longest_wait_seconds{pool="app"}',
      'sluice_pool_queue_wait_seconds_count{pool="app"}',
      'sluice_pool_first_byte_seconds_count{pool="app"}',
      'sluice_backend_session_duration_seconds_count{pool="app"}',
      'sluice_dial_retries_total{pool="db"}',
      'sluice_backend_health_check_duration_seconds_count{pool="app"}',
      'sluice_buffer_memory_bytes',
      'sluice_worker_restarts_total',
      'sluice_log_lines_left_out_total',
      'sluice_config_reloads_total{result="success"}',
      'sluice_config_reloads_total{result="failure"}',
      'sluice_draining',
    ];
    expect(Object.fromEntries(zero.map((series) => [series, samples.get(series)]))).toEqual(
      Object.fromEntries(zero.map((series) => [series, 0])),
    );
    expect(samples.get(`sluice_backend_circuit_state{${app1},state="closed"}`)).toBe(1);
    expect(samples.get('sluice_backend_up{pool="db",backend="[::1]:5432"}')).toBe(1);
    expect(samples.get('sluice_listener_connections_limit{listener="web"}')).toBe(Number.POSITIVE_INFINITY);
    expect(samples.get('sluice_pool_connections_limit{pool="app"}')).toBe(Number.POSITIVE_INFINITY);
    expect(samples.get(`sluice_backend_connections_limit{${app1}}`)).toBe(Number.POSITIVE_INFINITY);
    expect(samples.get(`sluice_backend_weight{${app1}}`)).toBe(1);
    expect(samples.get('sluice_config_last_reload_successful')).toBe(1);
    expect(samples.get('sluice_config_hash{hash="0123456789abcdef"}')).toBe(1);
    expect(samples.get('sluice_config_age_seconds')).toBe(5);
    expect(samples.get('sluice_buffer_memory_limit_bytes')).toBe(1_000);
    expect(samples.get('sluice_event_loop_lag_seconds{thread="worker-1"}')).toBe(0.003);
    expect(samples.get('sluice_event_loop_lag_seconds{thread="main"}')).toBeGreaterThanOrEqual(0);
    const [open = 0, limit = 0] = ['open', 'limit'].map((what) => samples.get(`sluice_descriptors_${what}`));
    expect(open).toBeGreaterThan(2);
    expect(limit).toBeGreaterThanOrEqual(open);
    expect(samples.get('sluice_build_info{version="1.2.3",node="20.19.0",driver="portable"}')).toBe(1);
    expect(samples.get('sluice_config_last_reload_success_timestamp_seconds')).toBe(1_700_000_000);
  });

  test('reads what all workers have counted', async () => {
    const source = new FakeSource();
    const [one, two] = source.workers;
    for (const worker of [one, two]) {
      worker.countBytes(0, 2, 5, 7);
      worker.countBackendConnection(0);
      worker.countDialFailure(1, 'connect-timeout');
      worker.backendActive.tryTake(0, 9);
      worker.poolQueued.tryTake(1, 9);
      worker.countCircuitOpened(2);
      worker.countBackendClosed(0, 'idle-timeout');
      worker.dialRetries.add(1, 0, 3);
      worker.poolActive.tryTake(0, 9);
    }
    one.bufferBytes[0] = 400;
    two.bufferBytes[1] = 30;
    source.observations.workerRestarts++;
    source.linesLeftOut = 12;
    two.queueTickets.draw(1, true, 400);
    Atomics.store(source.ledger.health, 0, 2);
    Atomics.store(source.ledger.circuit.state, 0, 2);
    source.phase = 'draining';
    const samples = samplesOf(await new Metrics(source).text());
    const unix = 'pool="app",backend="unix:/run/app.sock"';
    expect(samples.get('sluice_bytes_total{listener="web",direction="to_backend"}')).toBe(10);
    expect(samples.get('sluice_bytes_total{listener="web",direction="to_client"}')).toBe(14);
    expect(samples.get(`sluice_backend_connections_total{${app1}}`)).toBe(2);
    expect(samples.get(`sluice_backend_connections_active{${app1}}`)).toBe(2);
    expect(samples.get(`sluice_backend_connect_failures_total{${unix},reason="connect-timeout"}`)).toBe(2);
    expect(samples.get('sluice_backend_circuit_opened_total{pool="db",backend="[::1]:5432"}')).toBe(2);
    expect(samples.get('sluice_pool_queue_length{pool="db"}')).toBe(2);
    expect(samples.get('sluice_pool_queue_longest_wait_seconds{pool="db"}')).toBe(0.6);
    expect(samples.get('sluice_pool_connections_active{pool="app"}')).toBe(2);
    expect(samples.get('sluice_dial_retries_total{pool="db"}')).toBe(6);
    expect(samples.get('sluice_buffer_memory_bytes')).toBe(430);
    expect(samples.get('sluice_worker_restarts_total')).toBe(1);
    expect(samples.get('sluice_log_lines_left_out_total')).toBe(12);
    expect(samples.get(`sluice_backend_sessions_closed_total{${app1},reason="idle-timeout"}`)).toBe(2);
    expect(
      samples.get('sluice_backend_bytes_total{pool="db",backend="[::1]:5432",direction="to_client"}'),
    ).toBe(14);
    expect(samples.get(`sluice_backend_up{${app1}}`)).toBe(0);
    expect(samples.get(`sluice_backend_circuit_state{${app1},state="half-open"}`)).toBe(1);
    expect(samples.get(`sluice_backend_circuit_state{${app1},state="closed"}`)).toBe(0);
    expect(samples.get('sluice_draining')).toBe(1);
  });

  test('gives histograms in seconds, cumulative, with the sum and the count', async () => {
    const source = new FakeSource();
    for (const ms of [3, 5, 6, 90_000_000]) source.workers[0].sessionDuration.observe(1, ms);
    source.workers[1].connectDuration.observe(0, 0.4);
    const samples = samplesOf(await new Metrics(source).text());
    const bucket = (le: string) =>
      samples.get(`sluice_session_duration_seconds_bucket{listener="api",le="${le}"}`);
    expect([bucket('0.005'), bucket('0.01'), bucket('3600'), bucket('+Inf')]).toEqual([2, 3, 3, 4]);
    expect(samples.get('sluice_session_duration_seconds_count{listener="api"}')).toBe(4);
    expect(samples.get('sluice_session_duration_seconds_sum{listener="api"}')).toBeCloseTo(90_000.014, 6);
    expect(samples.get('sluice_backend_connect_duration_seconds_bucket{pool="app",le="0.0005"}')).toBe(1);
    expect(samples.get('sluice_backend_connect_duration_seconds_sum{pool="app"}')).toBeCloseTo(0.0004, 9);
  });

  test('accounts for every accepted session: active or closed by a reason', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            worker: fc.constantFrom(0 as const, 1 as const),
            listener: fc.constantFrom(0, 1),
            refused: fc.boolean(),
            closedBy: fc.option(fc.constantFrom(...reasons), { nil: undefined }),
          }),
          { maxLength: 60 },
        ),
        async (sessions) => {
          const source = new FakeSource();
          for (const { worker, listener, refused, closedBy } of sessions) {
            const ledger = source.workers[worker];
            ledger.countAccepted(listener);
            if (!refused) ledger.listenerActive.tryTake(listener, 1_000);
            if (closedBy !== undefined) ledger.countClosed(listener, closedBy);
          }
          const samples = samplesOf(await new Metrics(source).text());
          for (const [slot, name] of ['web', 'api'].entries()) {
            const accepted = samples.get(`sluice_listener_connections_total{listener="${name}"}`) ?? -1;
            const active = samples.get(`sluice_listener_connections_active{listener="${name}"}`) ?? -1;
            const own = sessions.filter(({ listener }) => listener === slot);
            expect(accepted).toBe(own.length);
            expect(active).toBe(own.filter(({ closedBy }) => closedBy === undefined).length);
            expect(accepted).toBe(
              active + sumOf(samples, 'sluice_sessions_closed_total', `listener="${name}"`),
            );
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  test('follows the plan: what a reload removed is gone, what stays goes on', async () => {
    const source = new FakeSource();
    const metrics = new Metrics(source);
    source.workers[0].countAccepted(0);
    source.observations.checked('app', '10.0.0.1:9000', check(true), source.plan);
    await metrics.text();
    source.plan = fakePlan(['web'], { app: ['10.0.0.1:9000'] });
    const text = await metrics.text();
    expect(text).not.toContain('listener="api"');
    expect(text).not.toContain('/run/app.sock');
    expect(text).not.toContain('pool="db"');
    const samples = samplesOf(text);
    expect(samples.get('sluice_listener_connections_total{listener="web"}')).toBe(1);
    expect(samples.get(`sluice_backend_health_checks_total{${app1},result="pass"}`)).toBe(1);
  });

  test('counts health checks and reloads, and forgets the checks of a backend that left', async () => {
    const source = new FakeSource();
    const { observations } = source;
    const metrics = new Metrics(source, () => 8_500);
    for (const pass of [true, true, false])
      observations.checked('app', '10.0.0.1:9000', check(pass), source.plan);
    observations.countReload(true, 6_000);
    observations.countReload(false, 7_000);
    const samples = samplesOf(await metrics.text());
    expect(samples.get(`sluice_backend_health_checks_total{${app1},result="pass"}`)).toBe(2);
    expect(samples.get(`sluice_backend_health_checks_total{${app1},result="fail"}`)).toBe(1);
    expect(samples.get('sluice_config_reloads_total{result="success"}')).toBe(1);
    expect(samples.get('sluice_config_reloads_total{result="failure"}')).toBe(1);
    expect(samples.get('sluice_config_last_reload_success_timestamp_seconds')).toBe(6);
    expect(samples.get('sluice_config_last_reload_successful')).toBe(0);
    expect(samples.get('sluice_config_age_seconds')).toBe(2.5);

    source.plan = fakePlan(['web'], { app: ['new'] });
    observations.checked('app', 'new', check(true), source.plan);
    source.plan = fakePlan(['web'], { app: ['10.0.0.1:9000'] });
    const later = samplesOf(await metrics.text());
    expect(later.get(`sluice_backend_health_checks_total{${app1},result="pass"}`)).toBe(0);
  });

  test('tells limits beside their use, and the weight that a slow start leaves', async () => {
    const source = new FakeSource();
    const [listener] = source.plan.listeners;
    const [pool] = source.plan.pools;
    if (listener === undefined || pool === undefined) throw new Error('Expected a listener and a pool');
    const [backend] = pool.backends;
    if (backend === undefined) throw new Error('Expected a backend');
    const { policy } = listener;
    source.plan = {
      listeners: [{ ...listener, policy: { ...policy, limits: { ...policy.limits, maxConnections: 100 } } }],
      pools: [
        {
          ...pool,
          policy: {
            ...pool.policy,
            slowStartMs: 1_000,
            limits: { maxConnections: 20, queue: { size: 7, timeoutMs: 1_000 } },
          },
          backends: [{ ...backend, weight: 4, maxConnections: 5 }],
        },
      ],
    };
    // The source's clock stands at one second.
    source.ledger.recoveredMs[backend.slot] = 500;
    const samples = samplesOf(await new Metrics(source).text());
    expect(samples.get('sluice_listener_connections_limit{listener="web"}')).toBe(100);
    expect(samples.get('sluice_pool_connections_limit{pool="app"}')).toBe(20);
    expect(samples.get('sluice_pool_queue_limit{pool="app"}')).toBe(7);
    expect(samples.get(`sluice_backend_connections_limit{${app1}}`)).toBe(5);
    expect(samples.get(`sluice_backend_weight{${app1}}`)).toBe(2.2);
  });

  test.each(['drain', 'maint'] as const)('tells the weight 0 of a backend in %s', async (state) => {
    const source = new FakeSource();
    const pools = source.plan.pools.map((pool) => ({
      ...pool,
      backends: pool.backends.map((backend, index) => (index === 0 ? { ...backend, state } : backend)),
    }));
    source.plan = { ...source.plan, pools };
    const samples = samplesOf(await new Metrics(source).text());
    expect(samples.get(`sluice_backend_weight{${app1}}`)).toBe(0);
    expect(samples.get('sluice_backend_weight{pool="app",backend="unix:/run/app.sock"}')).toBe(1);
  });

  test('tells what each layer wants of a backend', async () => {
    const source = new FakeSource();
    source.administration.layersOf = ({ backend }) =>
      backend === '10.0.0.1:9000'
        ? { configuration: 'ready', operator: 'maint', source: 'drain' }
        : { configuration: 'ready', operator: 'ready', source: 'ready' };
    const samples = samplesOf(await new Metrics(source).text());
    const states = layers.map((layer) => samples.get(`sluice_backend_state{${app1},layer="${layer}"}`));
    expect(states).toEqual([0, 2, 1]);
  });

  test('counts lookups that failed for the pools that have the name, and tells the oldest success', async () => {
    const source = new FakeSource();
    const { names } = source.observations;
    names.follow(
      new Map([
        ['app', ['a.test', 'b.test']],
        ['db', []],
      ]),
    );
    const read = async () => {
      const samples = samplesOf(await new Metrics(source).text());
      expect(samples.get('sluice_dns_failures_total{pool="db"}')).toBeUndefined();
      return ['failures_total', 'last_success_timestamp_seconds'].map((what) =>
        samples.get(`sluice_dns_${what}{pool="app"}`),
      );
    };
    expect(await read()).toEqual([0, 0]);
    names.lookedUp('a.test', undefined, 5_000);
    names.lookedUp('b.test', undefined, 7_000);
    names.lookedUp('a.test', 'No answer', 9_000);
    names.lookedUp('stranger.test', 'No answer', 9_000);
    expect(await read()).toEqual([1, 5]);
    names.lookedUp('a.test', undefined, 11_000);
    expect(await read()).toEqual([1, 7]);
  });

  test('tells until when certificates are good: of several for one name, the first that runs out', async () => {
    const samples = samplesOf(await new Metrics(new FakeSource()).text());
    const expiries = [...samples].filter(([series]) => series.includes('certificate_expiry'));
    expect(Object.fromEntries(expiries)).toEqual({
      'sluice_certificate_expiry_timestamp_seconds{listener="web",name="a.example"}': 1_800_000_000,
      'sluice_pool_certificate_expiry_timestamp_seconds{pool="app",name="proxy.internal"}': 1_700_000_100,
      'sluice_backend_certificate_expiry_timestamp_seconds{pool="db",backend="[::1]:5432",name="db.internal"}': 1_750_000_000.5,
    });
  });

  test('leaves out gauges of Node whose names say that they are counters', async () => {
    const text = await new Metrics(new FakeSource()).text();
    expect(text).toContain('# TYPE nodejs_active_handles gauge');
    expect(text).not.toMatch(/^# TYPE \w+_total gauge$/m);
  });

  test('escapes what an operator may have put into a name', async () => {
    const source = new FakeSource();
    source.plan = fakePlan(['a"b\\c\nd'], {});
    const text = await new Metrics(source).text();
    expect(text).toContain(String.raw`sluice_listener_connections_total{listener="a\"b\\c\nd"} 0`);
  });
});
