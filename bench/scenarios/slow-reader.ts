import type { SlowReaderJob } from '../programs/slow-reader-load.ts';
import { flawless, isProxy, loadOf, peakMetric, peakMib } from './costs.ts';
import type { Scenario } from './scenario.ts';

const mib = 1024 * 1024;

export const slowReader: Scenario = {
  name: 'slow-reader',
  question:
    'Does memory stay bounded when the client reads slower than the backend sends? 1 GiB, the client stops eight times for a quarter of a second.',
  metrics: [
    { key: 'growth', title: 'growth', unit: 'MiB', better: 'lower', compared: false },
    { ...peakMetric, compared: true },
    { key: 'seconds', title: 'took', unit: 's', better: 'lower', compared: false },
  ],
  suits: isProxy,
  rounds: (wanted) => Math.ceil(wanted / 3),
  async measure(stage) {
    const job: SlowReaderJob = {
      port: stage.port,
      bytes: 1024 * mib,
      stallEveryBytes: 127 * mib,
      stallSeconds: 0.25,
    };
    const drive = await flawless(stage, 'slow-reader-load', job);
    const { before, after } = drive;
    return {
      values: {
        growth: before && after && (after.peakBytes - before.residentBytes) / mib,
        peak: peakMib(drive),
        seconds: drive.seconds,
      },
      ...loadOf(drive),
    };
  },
};
