/**
 * The questions of other scenarios once more, with the load of wrk(1) and a backend in C where there is a compiler:
 * they take less of the core that they share, so that more of the subject's own is taken.
 */
import type { WrkJob } from '../programs/wrk-load.ts';
import { printed } from '../subjects/subject.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { warmRequests } from './keepalive.ts';
import { warmConnections } from './new-connection.ts';
import type { Scenario } from './scenario.ts';
import { warmHandshakes } from './tls.ts';

const shared = {
  rounds: (wanted) => wanted,
  wantsLeanBackend: true,
  async missing() {
    // It prints its version and fails.
    const version = await printed('sh', ['-c', 'wrk --version; true'], /^wrk (\S+)/);
    return version === undefined ? 'wrk is not installed (Debian: apt-get install wrk)' : undefined;
  },
} satisfies Partial<Scenario>;

/** It does not tell the third one. */
const latencies = latencyMetrics.filter(({ key }) => key !== 'p999');

export const wrkKeepalive: Scenario = {
  ...shared,
  name: 'wrk-keepalive',
  question:
    'What does a request cost on a connection that is open already? 64 connections, wrk and, where it compiles, a backend in C.',
  metrics: [
    rateMetric('requests', 'keep-alive requests from wrk, 64 connections (1/s)'),
    ...latencies,
    ...cpuMetrics('request', { cpu: 'CPU per keep-alive request from wrk (µs)' }),
    peakMetric,
  ],
  measure: async (stage) => costs(await flawless(stage, 'wrk-load', job(stage.port, stage.seconds, 64))),
};

export const wrkConnect: Scenario = {
  ...shared,
  name: 'wrk-connect',
  question:
    'What does a connection cost? One request each, 32 at a time, wrk and, where it compiles, a backend in C; latency without the time to connect.',
  metrics: [
    rateMetric('conn.', 'connections from wrk, one request each, 32 at a time (1/s)'),
    ...latencies,
    ...cpuMetrics('conn.', { cpu: 'CPU per connection from wrk (µs)' }),
    peakMetric,
  ],
  measure: async (stage) =>
    costs(
      await flawless(stage, 'wrk-load', {
        ...job(stage.port, stage.seconds, 32),
        ...warmConnections,
        closes: true,
      }),
    ),
};

export const wrkTlsKeepalive: Scenario = {
  ...shared,
  name: 'wrk-tls-keepalive',
  question:
    'What does a request over TLS cost on a connection that is open already? 64 connections, wrk and, where it compiles, a backend in C.',
  metrics: [
    rateMetric('requests', 'keep-alive requests over TLS from wrk (1/s)'),
    ...latencies,
    ...cpuMetrics('request', { cpu: 'CPU per keep-alive request over TLS from wrk (µs)' }),
    peakMetric,
  ],
  settings: [{ tls: true }],
  measure: async (stage) =>
    costs(await flawless(stage, 'wrk-load', { ...job(stage.port, stage.seconds, 64), tls: true })),
};

/** It comes back with the last ticket that it was given, from its second connection on. */
export const wrkTlsResumed: Scenario = {
  ...shared,
  name: 'wrk-tls-resumed',
  question:
    'What does a TLS handshake cost that resumes a session by a ticket, with one request after it? 32 at a time, wrk and, where it compiles, a backend in C; latency without the handshake.',
  metrics: [
    rateMetric('conn.', 'resumed TLS handshakes from wrk, 32 at a time (1/s)'),
    ...latencies,
    ...cpuMetrics('conn.', { cpu: 'CPU per resumed TLS handshake from wrk (µs)' }),
    peakMetric,
  ],
  settings: [{ tls: true }],
  measure: async (stage) =>
    costs(
      await flawless(stage, 'wrk-load', {
        ...job(stage.port, stage.seconds, 32),
        ...warmHandshakes,
        tls: true,
        closes: true,
      }),
    ),
};

function job(port: number, seconds: number, connections: number): WrkJob {
  return { port, tls: false, connections, closes: false, ...warmRequests, warmSeconds: 3, seconds };
}
