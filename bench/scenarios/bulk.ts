import type { BulkJob } from '../programs/bulk-load.ts';
import { costs, cpuMetrics, flawless, peakMetric, rateMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

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
    metrics: [rateMetric('MiB'), ...cpuMetrics('MiB'), peakMetric],
    rounds: (wanted) => wanted,
    async measure(stage) {
      const job: BulkJob = { port: stage.port, direction, warmSeconds: 0.5, seconds: stage.seconds };
      return costs(await flawless(stage, 'bulk-load', job), mib);
    },
  };
}
