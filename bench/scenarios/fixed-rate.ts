/**
 * The same rate for all, at which nobody is at the limit: half of what comes through HAProxy at most. There latencies
 * mean something; and CPU is another figure than at the limit, where a proxy finds more to do in each of its turns.
 */
import type { PacedConnectJob } from '../programs/paced-connect-load.ts';
import type { PacedJob } from '../programs/paced-load.ts';
import type { ProgramName } from '../stage/loads.ts';
import type { Stage } from '../stage/stage.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import { job as requestsJob } from './keepalive.ts';
import { job as connectionsJob } from './new-connection.ts';
import type { Metric, Rehearsal, Scenario } from './scenario.ts';

const rateIs =
  'half of what comes through HAProxy at most, measured first; without HAProxy, through the slowest subject';

export const fixedRate: Scenario = {
  name: 'fixed-rate',
  question: `How long does a request take when nobody is at the limit? 64 connections, the same rate for all: ${rateIs}.`,
  metrics: metrics('request', 'requests', {
    latency: (title) => `${title} at half of HAProxy's saturating rate (ms)`,
    cpu: "CPU per keep-alive request at half of HAProxy's saturating rate (µs)",
  }),
  rounds: (wanted) => wanted,
  rehearsal: rehearsal('keepalive-load', requestsJob),
  async measure(stage, rehearsed) {
    const job: PacedJob = { ...requestsJob(stage), perSecond: half(rehearsed) };
    // At this rate it would take long until a subject is warm.
    await stage.drive('keepalive-load', { ...requestsJob(stage), seconds: 0 });
    return costs(await flawless(stage, 'paced-load', job));
  },
};

export const fixedConnectRate: Scenario = {
  name: 'fixed-connect-rate',
  question: `How long does a connection take when nobody is at the limit? One request each, the same rate for all: ${rateIs}.`,
  metrics: metrics('conn.', 'conn.', {
    latency: (title) => `${title} of connections at half of HAProxy's saturating rate (ms)`,
    cpu: "CPU per connection at half of HAProxy's saturating rate (µs)",
  }),
  rounds: (wanted) => wanted,
  rehearsal: rehearsal('connect-load', (stage) => connectionsJob(stage, 'http')),
  async measure(stage, rehearsed) {
    const { port, seconds } = stage;
    const job: PacedConnectJob = { port, perSecond: half(rehearsed), warmSeconds: 1, seconds };
    await stage.drive('connect-load', { ...connectionsJob(stage, 'http'), seconds: 0 });
    return costs(await flawless(stage, 'paced-connect-load', job));
  },
};

interface Headlines {
  latency(title: string): string;
  readonly cpu: string;
}

function metrics(unit: string, units: string, headlines: Headlines): readonly Metric[] {
  return [
    { ...rateMetric(units), compared: false },
    ...latencyMetrics.map((metric) =>
      metric.key === 'p999'
        ? metric
        : { ...metric, compared: true, headline: headlines.latency(metric.title) },
    ),
    ...cpuMetrics(unit, { cpu: headlines.cpu }),
    peakMetric,
  ];
}

function rehearsal(program: ProgramName, job: (stage: Stage) => unknown): Rehearsal {
  return {
    of(subjects) {
      const pacemaker = subjects.filter(({ name }) => name === 'haproxy');
      return pacemaker.length > 0 ? pacemaker : subjects;
    },
    async measure(stage) {
      const { load, seconds } = await flawless(stage, program, job(stage));
      return load.units / seconds;
    },
  };
}

function half(rehearsed: readonly number[]): number {
  // Nobody passed the rehearsal: then there is no rate that means anything.
  if (rehearsed.length === 0) throw new Error('The rehearsal gave no rate');
  return Math.round(Math.min(...rehearsed) / 2);
}
