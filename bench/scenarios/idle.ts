import type { IdleJob } from '../programs/idle-load.ts';
import { flawless, isProxy, loadOf, peakMetric, peakMib } from './costs.ts';
import type { Scenario } from './scenario.ts';

/** Two descriptors each in the proxy: within the limit of 20,000 that machines often have. */
const connections = 9_000;

export const idle: Scenario = {
  name: 'idle',
  question: `What does a connection hold while nobody speaks? ${connections.toLocaleString('en')} connections after one byte each way; the proxy's own memory, not the kernel's.`,
  metrics: [
    {
      key: 'resident',
      title: 'resident',
      unit: 'bytes/conn.',
      better: 'lower',
      compared: true,
      headline: `resident memory per idle connection, ${connections.toLocaleString('en')} open (bytes)`,
    },
    peakMetric,
  ],
  suits: isProxy,
  rounds: (wanted) => Math.ceil(wanted / 2),
  async measure(stage) {
    const job: IdleJob = { port: stage.port, connections };
    const drive = await flawless(stage, 'idle-load', job, { settle: true });
    const { before, after } = drive;
    return {
      values: {
        resident: before && after && (after.residentBytes - before.residentBytes) / connections,
        peak: peakMib(drive),
      },
      ...loadOf(drive),
    };
  },
};
