import type { ConnectJob } from '../programs/connect-load.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

export const newConnection: Scenario = {
  name: 'connect',
  question: 'What does a connection cost? One request each, 32 at a time; latency from connecting to closed.',
  metrics: [rateMetric('conn.'), ...latencyMetrics, ...cpuMetrics('conn.'), peakMetric],
  rounds: (wanted) => wanted,
  async measure(stage) {
    // Node compiles the code of a connection for a long time: after one second it still costs 15 % more.
    const job: ConnectJob = { port: stage.port, concurrency: 32, warmSeconds: 3, seconds: stage.seconds };
    return costs(await flawless(stage, 'connect-load', job));
  },
};
