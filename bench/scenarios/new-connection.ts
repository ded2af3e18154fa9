import type { ConnectJob } from '../programs/connect-load.ts';
import type { Stage } from '../stage/stage.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

export const newConnection: Scenario = {
  name: 'connect',
  question: 'What does a connection cost? One request each, 32 at a time; latency from connecting to closed.',
  metrics: [
    rateMetric('conn.'),
    ...latencyMetrics,
    ...cpuMetrics('conn.', { cpu: 'CPU per connection, one request each (µs)' }),
    peakMetric,
  ],
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'connect-load', job(stage, 'http'))),
};

/** Node compiles the code of a connection for a long time: after 8,000 of them one still costs 15 % more. */
export const warmConnections = { warmSeconds: 3, warmUnits: 20_000 };

/** Connections with one exchange each, 32 at a time. */
export function job(stage: Stage, speaks: ConnectJob['speaks']): ConnectJob {
  return { port: stage.port, speaks, concurrency: 32, ...warmConnections, seconds: stage.seconds };
}
