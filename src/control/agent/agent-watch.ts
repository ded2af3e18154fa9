/**
 * Asks the agents of backends at intervals, and passes on what they say. No answer changes nothing: whether a backend
 * can serve is for its checks to say. Backends that an operator has in maintenance are not asked.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AgentCheckConfig, Config } from '../../config/config.ts';
import type { Address, Plan } from '../../core/plan.ts';
import { isOwnFault, readable } from '../health/probes/failure.ts';
import type { BackendName } from '../overrides.ts';
import { type AgentWords, parseAgentLine } from './agent-line.ts';
import { type AgentQuestion, askAgent } from './ask.ts';

export interface AgentTarget extends BackendName {
  readonly slot: number;
  readonly question: AgentQuestion;
  readonly rhythm: Pick<AgentCheckConfig, 'intervalMs' | 'jitterPercent'>;
}

export interface AgentHost {
  onAnswer(target: AgentTarget, words: AgentWords, line: string): void;
  /** `problem` is a sentence for people. */
  onSilence(target: AgentTarget, problem: string): void;
  /** It could not be asked for want of descriptors or memory, which is no silence of the agent's. */
  onSkipped(target: AgentTarget, detail: string): void;
  /** It is asked no longer, so that what it has said does not hold any more. */
  onEnd(target: AgentTarget): void;
  /** What is not to be asked for now. */
  isInMaintenance(name: BackendName): boolean;
}

export interface AgentDeps {
  readonly ask: typeof askAgent;
  /** Gives numbers from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

export class AgentWatch {
  readonly #host: AgentHost;
  readonly #deps: AgentDeps;
  readonly #agents = new Map<number, Agent>();

  constructor(host: AgentHost, deps: Partial<AgentDeps> = {}) {
    this.#host = host;
    this.#deps = { ask: askAgent, random: Math.random, ...deps };
  }

  follow(config: Config, plan: Plan): void {
    const targets = new Map(targetsOf(config, plan).map((target) => [target.slot, target]));
    for (const [slot, agent] of this.#agents) {
      if (isDeepStrictEqual(agent.target, targets.get(slot))) continue;
      agent.stop();
      this.#agents.delete(slot);
      if (!isOfOne(agent.target, targets.get(slot))) this.#host.onEnd(agent.target);
    }
    const added = [...targets.values()].filter(({ slot }) => !this.#agents.has(slot));
    for (const [index, target] of added.entries()) {
      const agent = new Agent(target, this.#host, this.#deps);
      this.#agents.set(target.slot, agent);
      agent.start((target.rhythm.intervalMs * index) / added.length);
    }
  }

  close(): void {
    for (const agent of this.#agents.values()) agent.stop();
    this.#agents.clear();
  }
}

class Agent {
  readonly target: AgentTarget;
  readonly #host: AgentHost;
  readonly #deps: AgentDeps;
  readonly #stopped = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(target: AgentTarget, host: AgentHost, deps: AgentDeps) {
    this.target = target;
    this.#host = host;
    this.#deps = deps;
  }

  start(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#ask(), delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#stopped.abort();
  }

  async #ask(): Promise<void> {
    const { target } = this;
    const { question, rhythm } = target;
    const { signal } = this.#stopped;
    const startedMs = performance.now();
    if (!this.#host.isInMaintenance(target)) {
      try {
        const line = await this.#deps.ask(question, signal);
        if (!signal.aborted) this.#host.onAnswer(target, parseAgentLine(line), line);
      } catch (error) {
        if (!signal.aborted) this.#failed(readable(error));
      }
    }
    if (signal.aborted) return;
    const jitter = (rhythm.jitterPercent / 100) * (2 * this.#deps.random() - 1);
    const waitMs = rhythm.intervalMs * (1 + jitter);
    this.start(Math.max(0, startedMs + waitMs - performance.now()));
  }

  #failed(failure: Error): void {
    if (isOwnFault(failure)) this.#host.onSkipped(this.target, failure.message);
    else this.#host.onSilence(this.target, failure.message);
  }
}

function isOfOne(a: BackendName, b: BackendName | undefined): boolean {
  return a.pool === b?.pool && a.backend === b.backend;
}

function targetsOf({ pools }: Config, plan: Plan): readonly AgentTarget[] {
  const checks = new Map(pools.map(({ name, agentCheck }) => [name, agentCheck]));
  return plan.pools.flatMap(({ name: pool, backends }) => {
    const check = checks.get(pool);
    if (check === undefined) return [];
    return backends.flatMap(({ name: backend, slot, address: own }) => {
      const address = addressOf(check, own);
      if (address === undefined) return [];
      const { send, timeoutMs, intervalMs, jitterPercent } = check;
      return {
        pool,
        backend,
        slot,
        question: { address, send, timeoutMs },
        rhythm: { intervalMs, jitterPercent },
      };
    });
  });
}

/** A unix socket has no host to ask at. */
function addressOf({ host, port }: AgentCheckConfig, own: Address): Address | undefined {
  const at = host ?? ('host' in own ? own.host : undefined);
  return at === undefined ? undefined : { host: at, port };
}
