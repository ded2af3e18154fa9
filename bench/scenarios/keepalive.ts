import type { KeepaliveJob } from '../programs/keepalive-load.ts';
import type { Stage } from '../stage/stage.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

export const keepalive: Scenario = {
  name: 'keepalive',
  question: 'What does a request cost on a connection that is open already? 64 connections, autocannon.',
  metrics: [
    rateMetric('requests'),
    ...latencyMetrics,
    ...cpuMetrics('request', {
      cpu: 'CPU per keep-alive request, 64 connections (µs)',
      user: 'user CPU per keep-alive request (µs)',
    }),
    peakMetric,
  ],
  rounds: (wanted) => wanted,
  measure: async (stage) => costs(await flawless(stage, 'keepalive-load', job(stage))),
};

export const warmRequests = { warmSeconds: 1, warmUnits: 50_000 };

/** As many requests as 64 connections get answered. */
export function job(stage: Stage): KeepaliveJob {
  return {
    port: stage.port,
    tls: stage.setting.tls ?? false,
    connections: 64,
    ...warmRequests,
    seconds: stage.seconds,
  };
}
