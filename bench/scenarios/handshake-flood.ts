import type { FloodJob } from '../programs/flood-load.ts';
import { costs, flawless, latencyMetrics } from './costs.ts';
import type { Metric, Scenario } from './scenario.ts';

const perSecond = 1_000;
const handshakes = 32;

const [p50, p99, p999] = latencyMetrics.map((metric) => ({ ...metric, title: `${metric.title} flood` }));

export const handshakeFlood: Scenario = {
  name: 'handshake-flood',
  question: `What does a flood of TLS handshakes do to others? ${perSecond.toLocaleString('en')} requests a second on 64 connections that are open already, alone and beside clients that send a hello, wait for the answer and leave, ${handshakes} at a time.`,
  metrics: [
    figure('handshakes', 'handshakes', '/s', 'higher'),
    figure('quietP99', 'p99 quiet', 'ms', 'lower'),
    ...[p50, p99, p999].filter((metric) => metric !== undefined),
    {
      ...figure('timesQuiet', 'p99 ratio', 'flood ÷ quiet', 'lower'),
      headline: 'p99 of requests beside a flood of TLS handshakes ÷ p99 without it',
    },
  ],
  settings: [{ tls: true }],
  rounds: (wanted) => wanted,
  async measure(stage) {
    const { port, seconds } = stage;
    const job: FloodJob = {
      port,
      tls: true,
      connections: 64,
      perSecond,
      handshakes,
      warmSeconds: 1,
      seconds,
    };
    const drive = await flawless(stage, 'flood-load', job);
    const { quietP99Us = Number.NaN, handshakes: answered = 0 } = drive.load.own ?? {};
    const measurement = costs(drive);
    return {
      ...measurement,
      values: {
        ...measurement.values,
        handshakes: answered / drive.seconds,
        quietP99: quietP99Us / 1000,
        timesQuiet: (drive.load.latencyUs?.p99 ?? Number.NaN) / quietP99Us,
      },
    };
  },
};

function figure(key: string, title: string, unit: string, better: Metric['better']): Metric {
  return { key, title, unit, better, compared: false };
}
