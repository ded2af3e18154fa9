import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseConfig } from '../../../src/config/load.ts';
import { AgentWatch } from '../../../src/control/agent/agent-watch.ts';
import type { AgentQuestion } from '../../../src/control/agent/ask.ts';
import { expand, Planner } from '../../../src/control/planner.ts';
import { Ledger } from '../../../src/core/ledger/ledger.ts';
import { configOf } from '../../support/configuration.ts';

const capacity = { workers: 1, listeners: 2, pools: 2, backends: 8, clients: 16, splits: 1 };

function watching() {
  const ledger = new Ledger(new ArrayBuffer(Ledger.byteLength(capacity)), capacity, 'main');
  const planner = new Planner(ledger);
  const asked: AgentQuestion[] = [];
  const told: unknown[] = [];
  const state = { line: 'drain' as string | undefined, error: new Error('refused'), inMaintenance: false };
  const watch = new AgentWatch(
    {
      onAnswer: ({ backend }, words) => told.push([backend, words]),
      onSilence: ({ backend }, problem) => told.push([backend, problem]),
      onSkipped: ({ backend }, detail) => told.push([backend, 'skipped', detail]),
      onEnd: ({ backend }) => told.push([backend, 'ended']),
      isInMaintenance: () => state.inMaintenance,
    },
    {
      random: () => 0.5,
      ask: async (question) => {
        asked.push(question);
        if (state.line === undefined) throw state.error;
        return state.line;
      },
    },
  );
  const follow = (agentCheck: string | undefined, backends = '10.0.0.1:9000') => {
    const check = agentCheck === undefined ? '' : `, agentCheck: ${agentCheck}`;
    const text = `version: 1
listeners: { web: { bind: "127.0.0.1:0", pool: app } }
pools: { app: { backends: [${backends}]${check} } }
`;
    const config = configOf(parseConfig(text, { file: '/sluice.yaml', env: {}, readFile: () => '' }));
    const pools = expand(config, (target) =>
      target.kind === 'address' ? [{ address: target.address }] : [],
    );
    watch.follow(config, planner.plan(config, pools));
  };
  return { watch, follow, asked, told, state };
}

describe('AgentWatch', () => {
  beforeEach(() => void vi.useFakeTimers({ now: 0 }));
  afterEach(() => void vi.useRealTimers());

  it('asks each backend at intervals, at its own host or where the agents are', async () => {
    const { watch, follow, asked, told } = watching();
    follow('{ port: 9009, interval: 4s, send: "state" }', '10.0.0.1:9000, 10.0.0.2:9000');
    await vi.advanceTimersByTimeAsync(3_999);
    const question = (host: string) => ({ address: { host, port: 9009 }, send: 'state', timeoutMs: 4_000 });
    expect(asked).toEqual([question('10.0.0.1'), question('10.0.0.2')]);
    expect(told[0]).toEqual(['10.0.0.1:9000', { state: 'drain' }]);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(asked).toHaveLength(4);
    follow('{ port: 9009, host: agents.internal, interval: 4s }');
    await vi.advanceTimersByTimeAsync(1);
    expect(asked.at(-1)?.address).toEqual({ host: 'agents.internal', port: 9009 });
    watch.close();
  });

  it('tells of silence, and asks on', async () => {
    const { watch, follow, told, state } = watching();
    state.line = undefined;
    follow('{ port: 9009 }');
    await vi.advanceTimersByTimeAsync(2_001);
    expect(told).toEqual([
      ['10.0.0.1:9000', 'refused'],
      ['10.0.0.1:9000', 'refused'],
    ]);
    watch.close();
  });

  it('holds it against no agent that it could not be asked', async () => {
    const { watch, follow, told, state } = watching();
    state.line = undefined;
    state.error = Object.assign(new Error('connect EMFILE'), { code: 'EMFILE' });
    follow('{ port: 9009 }');
    await vi.advanceTimersByTimeAsync(1);
    expect(told).toEqual([['10.0.0.1:9000', 'skipped', 'This process has no file descriptor left']]);
    watch.close();
  });

  it('asks nobody in maintenance, nor a unix socket without a host', async () => {
    const { watch, follow, asked, state } = watching();
    state.inMaintenance = true;
    follow('{ port: 9009 }', '10.0.0.1:9000, "unix:/run/app.sock"');
    await vi.advanceTimersByTimeAsync(9_000);
    expect(asked).toEqual([]);
    state.inMaintenance = false;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(asked).toHaveLength(1);
    watch.close();
  });

  it('says of whom it asks no longer', async () => {
    const { watch, follow, asked, told } = watching();
    follow('{ port: 9009 }');
    follow('{ port: 9010 }');
    expect(told).toEqual([]);
    follow(undefined);
    expect(told).toEqual([['10.0.0.1:9000', 'ended']]);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(asked).toEqual([]);
    watch.close();
  });
});
