import { isDeepStrictEqual } from 'node:util';
import type { BackendSlot } from '../../core/contract.ts';
import { Check, type CheckDeps, type ProberHost, type ProbeTarget } from './check.ts';
import { probe } from './probes/probe.ts';

/** Whether one backend is asked the same in both, so that what is known of it by the one holds for the other. */
function asksTheSame(a: ProbeTarget, b: ProbeTarget): boolean {
  const isAboutOne = a.slot === b.slot && a.pool === b.pool && a.backend === b.backend;
  return isAboutOne && isDeepStrictEqual(a.question, b.question);
}

/** Probes backends on schedule; at most one probe is under way for each. */
export class HealthProber {
  readonly #host: ProberHost;
  readonly #deps: CheckDeps;
  readonly #checks = new Map<BackendSlot, Check>();

  constructor(host: ProberHost, deps: Partial<CheckDeps> = {}) {
    this.#host = host;
    this.#deps = { probe, random: Math.random, ...deps };
  }

  /**
   * Probes these and no others from now on. A backend that is asked the same as before keeps its state, and takes on
   * another rhythm; the others start afresh, those of a pool spread over one interval, the first at once. Gives the
   * slots of those that start and of those that ended: of these, nothing is known any more.
   */
  update(targets: readonly ProbeTarget[]): readonly BackendSlot[] {
    const forgotten: BackendSlot[] = [];
    const bySlot = new Map(targets.map((target) => [target.slot, target]));
    for (const [slot, check] of this.#checks) {
      const target = bySlot.get(slot);
      if (target !== undefined && asksTheSame(check.target, target)) {
        check.follow(target);
        continue;
      }
      check.stop();
      this.#checks.delete(slot);
      forgotten.push(slot);
    }
    const added = new Map<string, ProbeTarget[]>();
    for (const target of targets) {
      if (this.#checks.has(target.slot)) continue;
      const ofPool = added.get(target.pool);
      if (ofPool === undefined) added.set(target.pool, [target]);
      else ofPool.push(target);
    }
    for (const ofPool of added.values()) this.#startSpread(ofPool);
    return [...forgotten, ...[...added.values()].flat().map(({ slot }) => slot)];
  }

  /** Stops everything; a probe under way is aborted and its result thrown away. */
  close(): void {
    this.update([]);
  }

  #startSpread(added: readonly ProbeTarget[]): void {
    for (const [index, target] of added.entries()) {
      const check = new Check(target, this.#host, this.#deps);
      this.#checks.set(target.slot, check);
      check.start((target.rhythm.intervalMs * index) / added.length);
    }
  }
}
