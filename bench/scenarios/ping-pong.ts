import type { PingPongJob } from '../programs/ping-pong-load.ts';
import { costs, cpuMetrics, flawless, latencyMetrics, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

const messageBytes = 64;

/** Few connections show what one turn of an event loop costs, many how well it does several at once. */
export const pingPongs: readonly Scenario[] = [1, 64, 1_000].map((connections) => {
  const playing = `${connections.toLocaleString('en')} connection${connections === 1 ? '' : 's'}`;
  return {
    name: `ping-pong-${connections}`,
    question: `What does a message of ${messageBytes} bytes cost? ${playing}, raw TCP: each message is echoed before the next is sent. There and back are two messages; latency is that of both.`,
    metrics: [
      rateMetric('messages', `messages per second, ${playing}`),
      ...latencyMetrics,
      ...cpuMetrics('message', {
        cpu: `CPU per message of ${messageBytes} bytes, ${playing} (µs)`,
        user: `user CPU per message, ${playing} (µs)`,
      }),
      peakMetric,
    ],
    rounds: (wanted) => wanted,
    async measure(stage) {
      const job: PingPongJob = {
        port: stage.port,
        connections,
        talking: connections,
        messageBytes,
        warmSeconds: 1,
        seconds: stage.seconds,
      };
      return costs(await flawless(stage, 'ping-pong-load', job), 1 / 2);
    },
  };
});
