import type { PacedJob } from '../programs/paced-load.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { job as saturatingJob } from './keepalive.ts';
import type { Scenario } from './scenario.ts';

export const fixedRate: Scenario = {
  name: 'fixed-rate',
  question:
    'How long does a request take when nobody is at the limit? 64 connections, the same rate for all: half of what the slowest subject can do.',
  metrics: [
    { ...rateMetric('requests'), compared: false },
    ...latencyMetrics.map((metric) => ({ ...metric, compared: metric.key !== 'p999' })),
    ...cpuMetrics('request'),
    peakMetric,
  ],
  rounds: (wanted) => wanted,
  async rehearse(stage) {
    const { load, seconds } = await flawless(stage, 'keepalive-load', {
      ...saturatingJob(stage),
      seconds: Math.min(1, stage.seconds),
    });
    return load.units / seconds;
  },
  async measure(stage, rehearsed) {
    const job: PacedJob = {
      ...saturatingJob(stage),
      perSecond: Math.round(Math.min(...rehearsed) / 2),
    };
    return costs(await flawless(stage, 'paced-load', job));
  },
};
