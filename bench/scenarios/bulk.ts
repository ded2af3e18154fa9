import type { BulkJob } from '../programs/bulk-load.ts';
import type { Stage } from '../stage/stage.ts';
import { costs, cpuMetrics, flawless, peakMetric, rateMetric } from './costs.ts';
import type { Measurement, Scenario } from './scenario.ts';

const mib = 1024 * 1024;

export const bulkDownload = bulk(
  'download',
  'How fast is one raw TCP stream from the backend to the client?',
);
export const bulkUpload = bulk('upload', 'How fast is one raw TCP stream from the client to the backend?');

function bulk(direction: BulkJob['direction'], question: string): Scenario {
  return {
    name: `bulk-${direction}`,
    question,
    metrics: [
      rateMetric('MiB', `${direction}, one connection (MiB/s)`),
      ...cpuMetrics('MiB', { cpu: `CPU per MiB of ${direction} (µs)` }),
      peakMetric,
    ],
    rounds: (wanted) => wanted,
    measure: (stage) => stream(stage, direction),
  };
}

export async function stream(stage: Stage, direction: BulkJob['direction']): Promise<Measurement> {
  const { port, seconds, setting } = stage;
  const job: BulkJob = { port, tls: setting.tls ?? false, direction, warmSeconds: 0.5, seconds };
  return costs(await flawless(stage, 'bulk-load', job), mib);
}
