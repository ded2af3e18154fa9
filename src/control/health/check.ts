import type { HealthCheckConfig } from '../../config/config.ts';
import type { BackendSlot, PoolSlot } from '../../core/contract.ts';
import { HealthState } from '../../core/health.ts';
import { startTimeOut } from '../time-out.ts';
import { isOwnFault } from './probes/failure.ts';
import type { probe } from './probes/probe.ts';
import type { Question } from './question.ts';

/** A backend that is to be probed, and how. */
export interface ProbeTarget {
  readonly pool: string;
  readonly poolSlot: PoolSlot;
  readonly slot: BackendSlot;
  readonly backend: string;
  readonly question: Question;
  /** How often it is asked, and what becomes of the answers. */
  readonly rhythm: Rhythm;
}

export type Rhythm = Pick<HealthCheckConfig, 'intervalMs' | 'timeoutMs' | 'rise' | 'fall' | 'jitterPercent'>;

/** Where results go. `detail` is a sentence for people: how long a pass took, or why it failed. */
export interface ProberHost {
  onResult(target: ProbeTarget, pass: boolean, detail: string, tookMs: number): void;
  /** The backend has shown a certificate that is good until then, in milliseconds since 1970. */
  onCertificate(target: ProbeTarget, notAfterMs: number): void;
  /** The health changed; also told of the first result after a target was added. Comes after `onResult`. */
  onTransition(target: ProbeTarget, health: 'up' | 'down', detail: string): void;
  /** A probe could not be made for want of descriptors or memory: no result, and no fault of the backend. */
  onSkipped(target: ProbeTarget, detail: string): void;
}

/** What a check works with; tests bring their own. */
export interface CheckDeps {
  readonly probe: typeof probe;
  /** Gives numbers from 0 (inclusive) to 1 (exclusive). */
  readonly random: () => number;
}

/** The probing of one backend: waits, probes, records, and so on until it is stopped. */
export class Check {
  #target: ProbeTarget;
  readonly #host: ProberHost;
  readonly #deps: CheckDeps;
  readonly #state: HealthState;
  #timer: NodeJS.Timeout | undefined;
  /** When the last probe was started, and when the next one is due. */
  #startedMs: number | undefined;
  #dueMs = 0;
  #underWay: AbortController | undefined;
  #stopped = false;

  constructor(target: ProbeTarget, host: ProberHost, deps: CheckDeps) {
    this.#target = target;
    this.#host = host;
    this.#deps = deps;
    this.#state = new HealthState(target.rhythm);
  }

  get target(): ProbeTarget {
    return this.#target;
  }

  start(delayMs: number): void {
    this.#dueMs = performance.now() + delayMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), delayMs);
  }

  /** Goes on with the same question in another rhythm. A probe that is under way ends as it began. */
  follow(target: ProbeTarget): void {
    const before = this.#target.rhythm;
    this.#target = target;
    this.#state.follow(target.rhythm);
    if (target.rhythm.intervalMs !== before.intervalMs && this.#underWay === undefined) this.#reschedule();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#underWay?.abort();
  }

  /** Probes that a shorter interval makes late are spread over it: a pool must not be probed all at once. */
  #reschedule(): void {
    const { intervalMs } = this.#target.rhythm;
    const dueMs = this.#startedMs === undefined ? this.#dueMs : this.#startedMs + this.#jittered(intervalMs);
    const leftMs = dueMs - performance.now();
    this.start(leftMs < 0 || leftMs > 2 * intervalMs ? intervalMs * this.#deps.random() : leftMs);
  }

  /** Waits count from start to start, so that a slow answer does not make checks rarer. */
  async #run(): Promise<void> {
    const startedMs = performance.now();
    this.#startedMs = startedMs;
    const outcome = await this.#probe();
    if (this.#stopped) return;
    const waitMs = this.#jittered(this.#target.rhythm.intervalMs);
    this.start(Math.max(0, startedMs + waitMs - performance.now()));
    this.#record(outcome, performance.now() - startedMs);
  }

  /** The error of a probe that failed, if it did. */
  async #probe(): Promise<Error | undefined> {
    const { question, rhythm } = this.#target;
    const underWay = new AbortController();
    this.#underWay = underWay;
    const late = new Error(`Timed out after ${rhythm.timeoutMs} ms`);
    const cancel = startTimeOut(rhythm.timeoutMs, () => underWay.abort(late));
    try {
      await this.#deps.probe(question, underWay.signal, rhythm.timeoutMs, (notAfterMs) => {
        if (!this.#stopped) this.#host.onCertificate(this.#target, notAfterMs);
      });
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    } finally {
      cancel();
      this.#underWay = undefined;
    }
  }

  #record(failure: Error | undefined, tookMs: number): void {
    const target = this.#target;
    if (failure !== undefined && isOwnFault(failure)) {
      this.#host.onSkipped(target, failure.message);
      return;
    }
    const pass = failure === undefined;
    const detail = failure?.message ?? `Passed in ${tookMs.toFixed(1)} ms`;
    this.#host.onResult(target, pass, detail, tookMs);
    const changed = this.#state.record(pass);
    if (changed !== undefined) this.#host.onTransition(target, changed, detail);
  }

  #jittered(intervalMs: number): number {
    return intervalMs * (1 + (this.#target.rhythm.jitterPercent / 100) * (2 * this.#deps.random() - 1));
  }
}
