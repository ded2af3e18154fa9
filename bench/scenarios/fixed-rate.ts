import type { PacedJob } from '../programs/paced-load.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { job as saturatingJob } from './keepalive.ts';
import type { Scenario } from './scenario.ts';

export const fixedRate: Scenario = {
  name: 'fixed-rate',
  question:
    'How long does a request take when nobody is at the limit? 64 connections, the same rate for all: half of what comes through HAProxy at most, measured first; without HAProxy, through the slowest subject.',
  metrics: [
    { ...rateMetric('requests'), compared: false },
    ...latencyMetrics.map((metric) =>
      metric.key === 'p999'
        ? metric
        : {
            ...metric,
            compared: true,
            headline: `${metric.title} at half of HAProxy's saturating rate (ms)`,
          },
    ),
    ...cpuMetrics('request'),
    peakMetric,
  ],
  rounds: (wanted) => wanted,
  rehearsal: {
    of(subjects) {
      const pacemaker = subjects.filter(({ name }) => name === 'haproxy');
      return pacemaker.length > 0 ? pacemaker : subjects;
    },
    async measure(stage) {
      const { load, seconds } = await flawless(stage, 'keepalive-load', saturatingJob(stage));
      return load.units / seconds;
    },
  },
  async measure(stage, rehearsed) {
    // Nobody passed the rehearsal: then there is no rate that means anything.
    if (rehearsed.length === 0) throw new Error('The rehearsal gave no rate');
    const job: PacedJob = { ...saturatingJob(stage), perSecond: Math.round(Math.min(...rehearsed) / 2) };
    return costs(await flawless(stage, 'paced-load', job));
  },
};
