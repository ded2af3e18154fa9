import { HealthState } from '../../core/health.ts';
import type { ProberHost, ProbeTarget } from './prober.ts';
import type { ProbeAddress } from './probes/connection.ts';
import { isOwnFault } from './probes/failure.ts';
import type { probe } from './probes/probe.ts';

/** What a check works with; tests bring their own. */
export interface Means {
  readonly probe: typeof probe;
  /** Gives numbers from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** The probing of one backend: waits, probes, records, and so on until it is stopped. */
export class Check {
  readonly target: ProbeTarget;
  readonly #host: ProberHost;
  readonly #means: Means;
  readonly #state: HealthState;
  #timer: NodeJS.Timeout | undefined;
  #underWay: AbortController | undefined;
  #stopped = false;

  constructor(target: ProbeTarget, host: ProberHost, means: Means) {
    this.target = target;
    this.#host = host;
    this.#means = means;
    this.#state = new HealthState(target.check);
  }

  start(delayMs: number): void {
    this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#underWay?.abort();
  }

  /** Waits count from start to start, so that a slow answer does not make checks rarer. */
  async #run(): Promise<void> {
    const startedMs = performance.now();
    const waitMs = this.#jittered(this.target.check.intervalMs);
    const outcome = await this.#probe();
    if (this.#stopped) return;
    this.start(Math.max(0, startedMs + waitMs - performance.now()));
    this.#record(outcome, performance.now() - startedMs);
  }

  /** The error of a probe that failed, if it did. */
  async #probe(): Promise<Error | undefined> {
    const { check } = this.target;
    const underWay = new AbortController();
    this.#underWay = underWay;
    const late = new Error(`Timed out after ${check.timeoutMs} ms`);
    const timer = setTimeout(() => underWay.abort(late), check.timeoutMs);
    try {
      await this.#means.probe(probedAddress(this.target), check.probe, underWay.signal);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      clearTimeout(timer);
    }
  }

  #record(failure: Error | undefined, tookMs: number): void {
    const { target } = this;
    if (failure !== undefined && isOwnFault(failure)) {
      this.#host.onSkipped(target, failure.message);
      return;
    }
    const pass = failure === undefined;
    const detail = failure?.message ?? `Passed in ${tookMs.toFixed(1)} ms`;
    this.#host.onResult(target, pass, detail);
    const changed = this.#state.record(pass);
    if (changed !== undefined) this.#host.onTransition(target, changed, detail);
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (1 + (this.target.check.jitterPercent / 100) * (2 * this.#means.random() - 1));
  }
}

/**
 * A port of its own makes sense for an IP address only: a unix socket is probed by its path. What listens at such
 * a port is not what sessions are dialed to, and expects no PROXY header for their sake.
 */
function probedAddress({ address, check: { port }, proxyProtocol }: ProbeTarget): ProbeAddress {
  return 'path' in address || port === undefined ? { ...address, proxyProtocol } : { ...address, port };
}
