/**
 * Keeps the health words of the ledger: probes the backends of every pool with a health check, writes down
 * what changes and passes it on. A backend that comes, or whose check changes, is unknown until its first result.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Config } from '../../config/config.ts';
import { type Health, healthWords, type Ledger } from '../../core/ledger/ledger.ts';
import type { Plan } from '../../core/plan.ts';
import { HealthProber, type ProberHost, type ProbeTarget } from './prober.ts';

export interface HealthHost extends ProberHost {
  now(): number;
}

export class HealthWatch {
  readonly #ledger: Ledger;
  readonly #prober: HealthProber;
  #targets = new Map<number, ProbeTarget>();

  constructor(ledger: Ledger, host: HealthHost) {
    this.#ledger = ledger;
    this.#prober = new HealthProber({
      onResult: (target, pass, detail) => host.onResult(target, pass, detail),
      onSkipped: (target, detail) => host.onSkipped(target, detail),
      onTransition: (target, health, detail) => {
        const wasDown = ledger.healthOf(target.slot) === 'down';
        ledger.recoveredMs[target.slot] = health === 'up' && wasDown ? host.now() : 0;
        this.#write(target.slot, health);
        host.onTransition(target, health, detail);
      },
    });
  }

  follow(config: Config, plan: Plan): void {
    const targets = new Map(targetsOf(config, plan).map((target) => [target.slot, target]));
    for (const { slot } of plan.pools.flatMap((pool) => pool.backends)) {
      if (!isDeepStrictEqual(targets.get(slot), this.#targets.get(slot))) this.#write(slot, 'unknown');
    }
    this.#targets = targets;
    this.#prober.update([...targets.values()]);
  }

  close(): void {
    this.#prober.close();
  }

  #write(slot: number, health: Health): void {
    Atomics.store(this.#ledger.health, slot, healthWords.indexOf(health));
  }
}

function targetsOf(config: Config, plan: Plan): readonly ProbeTarget[] {
  return plan.pools.flatMap(({ name: pool, policy, backends }) => {
    const check = config.pools.find(({ name }) => name === pool)?.healthCheck;
    if (check === undefined) return [];
    const sent = policy.connect.proxyProtocol;
    const proxyProtocol = sent === 'off' ? sent : sent.version;
    return backends.map(({ slot, name: backend, address }) => {
      return { pool, slot, backend, address, check, proxyProtocol };
    });
  });
}
