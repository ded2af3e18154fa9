import type { PacedConnectJob } from '../programs/paced-connect-load.ts';
import { costs, latencyMetrics, peakMetric } from './costs.ts';
import type { Scenario } from './scenario.ts';

const reloads = 100;
const perSecond = 500;
const lasting = 20;

export const reload: Scenario = {
  name: 'reload',
  question: `Does a reload lose connections? ${reloads} reloads between two configurations under ${perSecond} new connections a second for ${lasting} s.`,
  metrics: [
    { key: 'lost', title: 'lost', unit: 'connections', better: 'lower', compared: false },
    { key: 'served', title: 'served', unit: 'connections', better: 'higher', compared: false },
    ...latencyMetrics,
    peakMetric,
  ],
  suits: ({ reloads }) => reloads === true,
  rounds: () => 1,
  async measure(stage) {
    const job: PacedConnectJob = { port: stage.port, perSecond, warmSeconds: 0, seconds: lasting };
    const ticker = setInterval(() => stage.reload(), (lasting * 1000) / reloads);
    try {
      const drive = await stage.drive('paced-connect-load', job);
      const { values, ...load } = costs(drive);
      return { values: { ...values, lost: drive.load.errors, served: drive.load.units }, ...load };
    } finally {
      clearInterval(ticker);
    }
  },
};
