import type { PingPongJob } from '../programs/ping-pong-load.ts';
import { connectionsMax } from '../stage/descriptors.ts';
import { costs, cpuMetrics, flawless, isProxy, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

const messageBytes = 64;
const open = connectionsMax.toLocaleString('en');

export const mostlyIdle: Scenario = {
  name: 'mostly-idle',
  question: `What does a message cost among many that are silent? ${open} connections, of which one in a hundred sends ${messageBytes} bytes, waits until they came back, and sends the next. There and back are two messages; latency is that of both.`,
  metrics: [
    rateMetric('messages'),
    ...latencyMetrics,
    ...cpuMetrics('message', {
      cpu: `CPU per message of ${messageBytes} bytes, ${open} connections, 1 % talk (µs)`,
    }),
    peakMetric,
  ],
  suits: isProxy,
  rounds: (wanted) => wanted,
  async measure(stage) {
    const job: PingPongJob = {
      port: stage.port,
      connections: connectionsMax,
      talking: Math.round(connectionsMax / 100),
      messageBytes,
      warmSeconds: 1,
      seconds: stage.seconds,
    };
    return costs(await flawless(stage, 'ping-pong-load', job), 1 / 2);
  },
};
