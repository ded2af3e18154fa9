/** A proxy to be looked at: one pool of three backends that stand differently, and one of a single backend. */
import type { Status } from '../../../src/cli/operate/status-text.ts';
import { type TimedStatus, type TopView, topView } from '../../../src/cli/top/top-view.ts';

interface Counts {
  readonly total?: number;
  readonly bytesToClient?: number;
  readonly dialFailures?: number;
  readonly more?: object;
}

export function someStatus(atMs: number, counts: Readonly<Record<string, Counts>> = {}): TimedStatus {
  const backend = (address: string, more: object): object => {
    const { total = 0, bytesToClient = 0, dialFailures = 0, more: others } = counts[address] ?? {};
    return {
      ...{
        address,
        name: null,
        state: 'ready',
        health: 'up',
        circuit: 'closed',
        active: 0,
        unavailable: null,
      },
      ...{ total, bytesToClient, bytesToBackend: 0, dialFailures, ...more, ...others },
    };
  };
  const status = {
    version: '1.2.3',
    phase: 'serving',
    phaseSince: new Date(Date.now() - 3_600_000).toISOString(),
    workers: { uring: 2 },
    listeners: { web: { active: 5 }, other: { active: 2 } },
    pools: {
      app: {
        ...{ balance: 'round-robin', active: 6, queue: 1, hold: { phase: 'held' } },
        backends: [
          backend('10.0.0.1:9000', { active: 4 }),
          backend('10.0.0.2:9000', { active: 2, state: 'drain', unavailable: 'drained' }),
          backend('10.0.0.3:9000', { health: 'down', circuit: 'half-open', unavailable: 'down' }),
        ],
      },
      db: {
        balance: 'first',
        active: 1,
        queue: 0,
        hold: null,
        backends: [backend('10.0.0.9:5432', { active: 1 })],
      },
    },
  };
  // What is looked at is there.
  return { status: status as unknown as Status, atMs };
}

export function someView(counts: Readonly<Record<string, Counts>> = {}): TopView {
  return topView(someStatus(2_000, counts), someStatus(0));
}
