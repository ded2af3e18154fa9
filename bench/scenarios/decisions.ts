import { type Balance, balances } from '../../src/core/balancers/table.ts';
import type { DecisionsJob } from '../programs/decisions.ts';
import type { Stage } from '../stage/stage.ts';
import type { Subject } from '../subjects/subject.ts';
import { flawless } from './costs.ts';
import type { Metric, Scenario } from './scenario.ts';

const sizes = [10, 100, 1_000];

export const decisions: Scenario = {
  name: 'decisions',
  question:
    'How long does the core think from an accepted connection to its dial? By balancer, over 10, 100 and 1,000 backends; no sockets.',
  metrics: [
    ...sizes.map((size) => metric(size, 'us', 'µs', 'lower')),
    ...sizes.map((size) => metric(size, 'rate', '/s', 'higher')),
  ],
  instead: balances.map(core),
  rounds: (wanted) => Math.ceil(wanted / 3),
  async measure(stage) {
    const values: Record<string, number> = {};
    let strangersBusy = 0;
    for (const backends of sizes) {
      const drive = await flawless(stage, 'decisions', job(stage, backends));
      const perSecond = drive.load.units / (drive.load.seconds ?? Number.NaN);
      values[`us${backends}`] = 1e6 / perSecond;
      values[`rate${backends}`] = perSecond;
      strangersBusy = Math.max(strangersBusy, drive.busy.strangers ?? 0);
    }
    return { values, loadSaturated: false, subjectBusy: undefined, strangersBusy };
  },
};

function job(stage: Stage, backends: number): DecisionsJob {
  // The subjects of this scenario are named after the balancers.
  const balance = stage.subject.name as Balance;
  return { balance, backends, warmSeconds: 0.3, seconds: Math.min(0.5, stage.seconds) };
}

function metric(size: number, key: 'us' | 'rate', unit: string, better: Metric['better']): Metric {
  return { key: key + size, title: size.toLocaleString('en'), unit, better, compared: false };
}

function core(name: Balance): Subject {
  return { name, about: 'the core alone', cores: 1, presence: async () => ({ version: '-' }) };
}
