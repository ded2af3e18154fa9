/**
 * The core alone, without a socket: how long it takes from an accepted connection to the command to dial. The
 * sessions of a batch are open at once, and only their acceptance is timed; that they are dialed and end comes
 * after it. All that is judged on the way is on: listener, client, pool and backend limits, rate, breaker.
 */

import { defaultListenerPolicy } from '../../src/config/options/listener.ts';
import { defaultPoolPolicy } from '../../src/config/options/pool.ts';
import type { Balance } from '../../src/core/balancers/table.ts';
import type { Core, LinkId } from '../../src/core/contract.ts';
import { createCore } from '../../src/core/core.ts';
import { defaultCapacity, Ledger } from '../../src/core/ledger/ledger.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type { Plan } from '../../src/core/plan.ts';
import { type LoadResult, program } from './program.ts';

export interface DecisionsJob {
  readonly balance: Balance;
  readonly backends: number;
  readonly warmSeconds: number;
  readonly seconds: number;
}

const batch = 256;

program<DecisionsJob, LoadResult>(async (job, measured) => {
  const capacity = { ...defaultCapacity, workers: 1 };
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 0);
  const activity = {
    lastByteMs: () => 0,
    sentBytes: () => 0,
    waitingBytes: () => 0,
    localEndpoint: () => Endpoint.unix,
  };
  const core = createCore({ ledger, activity, worker: 0, random: Math.random });
  core.handle({ kind: 'plan', plan: plan(job) }, performance.now());

  const run = (seconds: number): LoadResult => {
    let [decisions, spentMs] = [0, 0];
    for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs; decisions += batch) {
      spentMs += acceptedMs(core);
    }
    return { units: decisions, seconds: spentMs / 1000, errors: 0 };
  };
  run(job.warmSeconds);
  await measured();
  return run(job.seconds);
});

const clients = Array.from(
  { length: 1_000 },
  (_, index) => new Endpoint([0, 0, 0xffff, 0x0a00_0000 | index], 1024 + index),
);

let arrivals = 0;

/** How long a batch of connections took from accepted to dial. It leaves no session behind. */
function acceptedMs(core: Core): number {
  const startMs = performance.now();
  const dialed: LinkId[] = [];
  for (let link = 0; link < 2 * batch; link += 2) {
    const peer = clients[arrivals++ % clients.length];
    if (peer === undefined) throw new Error('There are clients');
    const [command] = core.handle({ kind: 'accepted', link, listener: 0, peer }, startMs).commands;
    if (command?.kind !== 'connect') throw new Error(`Expected a dial, found ${command?.kind ?? 'nothing'}`);
    dialed.push(command.link);
  }
  const doneMs = performance.now();
  for (const [index, backend] of dialed.entries()) {
    core.handle({ kind: 'connected', link: backend }, doneMs);
    for (const link of [backend, 2 * index])
      core.handle({ kind: 'closed', link, end: 'finished', sentBytes: 100 }, doneMs);
  }
  return doneMs - startMs;
}

function plan({ balance, backends }: DecisionsJob): Plan {
  const most = 1_000_000;
  const limits = { maxConnections: most, connectionsPerSecond: 1e9, burst: 1e9 };
  return {
    listeners: [
      {
        slot: 0,
        name: 'bench',
        pool: 0,
        routes: [],
        policy: {
          ...defaultListenerPolicy,
          limits: { ...limits, perClient: { ...limits, ipv6Prefix: 64 } },
          access: { allow: undefined, deny: undefined },
          refuseWith: 'reset',
        },
      },
    ],
    pools: [
      {
        slot: 0,
        name: 'bench',
        policy: {
          balance,
          connect: defaultPoolPolicy.connect,
          circuitBreaker: {
            consecutiveFailures: 5,
            openForMs: 5_000,
            maxOpenForMs: 300_000,
            halfOpenTrials: 1,
          },
          limits: { maxConnections: most, queue: { size: 0, timeoutMs: 5_000 } },
          slowStartMs: 0,
          whenBackendDown: 'keep',
          panicThresholdPercent: 0,
        },
        backends: Array.from({ length: backends }, (_, slot) => ({
          slot,
          name: `10.1.${slot >> 8}.${slot & 255}:9000`,
          address: { host: `10.1.${slot >> 8}.${slot & 255}`, port: 9000 },
          hostName: undefined,
          state: 'ready' as const,
          weight: 1 + (slot % 3),
          backup: false,
          maxConnections: most,
        })),
      },
    ],
  };
}
