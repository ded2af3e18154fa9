import { type Balance, balances } from '../../src/core/plan.ts';
import type { DecisionsJob } from '../programs/decisions.ts';
import type { Stage } from '../stage/stage.ts';
import type { Subject } from '../subjects/subject.ts';
import { flawless } from './costs.ts';
import type { Measurement, Metric, Scenario } from './scenario.ts';

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
  rounds: () => 1,
  async measure(stage) {
    const values: Record<string, number> = {};
    for (const backends of sizes) {
      const perSecond = await decisionsPerSecond(stage, backends);
      values[`us${backends}`] = 1e6 / perSecond;
      values[`rate${backends}`] = perSecond;
    }
    const measurement: Measurement = {
      values,
      loadSaturated: false,
      subjectBusy: undefined,
      strangersBusy: undefined,
    };
    return measurement;
  },
};

async function decisionsPerSecond(stage: Stage, backends: number): Promise<number> {
  const job: DecisionsJob = {
    // The subjects of this scenario are named after the balancers.
    balance: stage.subject.name as Balance,
    backends,
    warmSeconds: 0.3,
    seconds: Math.min(0.5, stage.seconds),
  };
  const { load } = await flawless(stage, 'decisions', job);
  return load.units / (load.seconds ?? Number.NaN);
}

function metric(size: number, key: 'us' | 'rate', unit: string, better: Metric['better']): Metric {
  return { key: key + size, title: size.toLocaleString('en'), unit, better, compared: false };
}

function core(name: Balance): Subject {
  return { name, about: 'the core alone', cores: 1, presence: async () => ({ version: '-' }) };
}
