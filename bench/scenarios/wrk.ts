/** The questions of other scenarios once more, with the load of wrk(1): it takes less of the core that it shares. */
import type { WrkJob } from '../programs/wrk-load.ts';
import { printed } from '../subjects/subject.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { warmRequests } from './keepalive.ts';
import { warmConnections } from './new-connection.ts';
import type { Scenario } from './scenario.ts';

const shared = {
  rounds: (wanted) => wanted,
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
  question: 'What does a request cost on a connection that is open already? 64 connections, wrk.',
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
    'What does a connection cost? One request each, 32 at a time, wrk; latency without the time to connect.',
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
  question: 'What does a request over TLS cost on a connection that is open already? 64 connections, wrk.',
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

function job(port: number, seconds: number, connections: number): WrkJob {
  return { port, tls: false, connections, closes: false, ...warmRequests, warmSeconds: 3, seconds };
}
