/**
 * Keeps the health words of the ledger: probes the backends of every pool with a health check, writes down
 * what changes and passes it on. A backend that comes, or that is asked something else, is unknown until its first
 * result. One in maintenance is not probed; when it returns, it is down until a check has passed, and starts slowly.
 */
import type { Config } from '../../config/config.ts';
import { type Health, healthWords, type Ledger } from '../../core/ledger/ledger.ts';
import type { Plan } from '../../core/plan.ts';
import { BlockedChecks, type BlockedChecksHost } from './blocked-checks.ts';
import type { CheckDeps, ProberHost, ProbeTarget } from './check.ts';
import { HealthProber } from './prober.ts';
import { questionOf } from './question.ts';

/** A backend whose health has changed. */
export type HealthTarget = Pick<ProbeTarget, 'pool' | 'backend' | 'slot'>;

export interface HealthHost
  extends Omit<ProberHost, 'onSkipped' | 'onCertificate' | 'onTransition'>,
    BlockedChecksHost {
  onTransition(target: HealthTarget, health: 'up' | 'down', detail: string): void;
  now(): number;
}

export class HealthWatch {
  readonly #ledger: Ledger;
  readonly #prober: HealthProber;
  readonly #host: HealthHost;
  readonly #blocked: BlockedChecks;
  #inMaintenance: ReadonlySet<number> = new Set();
  /** What checks say, by slot, as far as they have said something. */
  readonly #checked = new Map<number, 'up' | 'down'>();
  /** Slots of backends that are down by what their agents say, whatever checks find. */
  readonly #downByAgent = new Set<number>();

  constructor(ledger: Ledger, host: HealthHost, deps: Partial<CheckDeps> = {}) {
    this.#ledger = ledger;
    this.#host = host;
    this.#blocked = new BlockedChecks(host);
    this.#prober = new HealthProber(
      {
        onResult: (target, pass, detail, tookMs) => {
          ledger.checkDuration.observe(target.poolSlot, tookMs);
          host.onResult(target, pass, detail, tookMs);
          this.#blocked.freed('health', target.slot);
        },
        onCertificate: ({ slot, question }, notAfterMs) => {
          // What listens on a port of the check's own is something else.
          if (!question.isElsewhere) ledger.certificateNotAfterMs[slot] = notAfterMs;
        },
        onSkipped: (target, detail) => this.#blocked.blocked('health', target, detail),
        onTransition: (target, health, detail) => {
          this.#checked.set(target.slot, health);
          if (!this.#downByAgent.has(target.slot)) this.#turn(target, health, detail);
        },
      },
      deps,
    );
  }

  follow(config: Config, plan: Plan): void {
    const targets = targetsOf(config, plan);
    for (const slot of this.#prober.update(targets)) {
      this.#checked.delete(slot);
      this.#write(slot, this.#downByAgent.has(slot) ? 'down' : 'unknown');
    }
    const slots = new Set(targets.map(({ slot }) => slot));
    this.#returnFromMaintenance(plan, slots);
    this.#blocked.keep('health', slots);
  }

  /** Down by its agent, a backend stays so until its agent says that it is up, and no check finds it down. */
  agentSays(target: HealthTarget, health: 'up' | 'down', detail: string): void {
    const { slot } = target;
    if (health === 'down') {
      this.#downByAgent.add(slot);
      if (this.#ledger.healthOf(slot) !== 'down') this.#turn(target, 'down', detail);
    } else if (this.#downByAgent.delete(slot) && this.#checked.get(slot) !== 'down') {
      this.#turn(target, 'up', detail);
    }
  }

  /** Its agent could not be asked for a reason of our own: what it has said stands. */
  agentSkipped(target: HealthTarget, detail: string): void {
    this.#blocked.blocked('agent', target, detail);
  }

  /** Its agent was asked, whatever it answered. */
  agentAsked(slot: number): void {
    this.#blocked.freed('agent', slot);
  }

  /** What its agent has said does not hold any more. */
  forgetAgent(slot: number): void {
    this.#blocked.freed('agent', slot);
    if (this.#downByAgent.delete(slot)) this.#write(slot, this.#checked.get(slot) ?? 'unknown');
  }

  close(): void {
    this.#prober.close();
  }

  #turn(target: HealthTarget, health: 'up' | 'down', detail: string): void {
    const wasDown = this.#ledger.healthOf(target.slot) === 'down';
    this.#ledger.recoveredMs[target.slot] = health === 'up' && wasDown ? this.#host.now() : 0;
    this.#write(target.slot, health);
    this.#host.onTransition(target, health, detail);
  }

  #returnFromMaintenance(plan: Plan, checked: ReadonlySet<number>): void {
    const backends = plan.pools.flatMap((pool) => pool.backends);
    const before = this.#inMaintenance;
    this.#inMaintenance = new Set(backends.filter(({ state }) => state === 'maint').map(({ slot }) => slot));
    for (const { slot } of backends) {
      if (!before.has(slot) || this.#inMaintenance.has(slot)) continue;
      if (checked.has(slot)) this.#write(slot, 'down');
      else this.#ledger.recoveredMs[slot] = this.#host.now();
    }
  }

  #write(slot: number, health: Health): void {
    Atomics.store(this.#ledger.health, slot, healthWords.indexOf(health));
    this.#ledger.healthSinceMs[slot] = this.#host.now();
  }
}

function targetsOf(config: Config, plan: Plan): readonly ProbeTarget[] {
  const checks = new Map(config.pools.map(({ name, healthCheck }) => [name, healthCheck]));
  return plan.pools.flatMap(({ name: pool, slot: poolSlot, backends }) => {
    const check = checks.get(pool);
    if (check === undefined) return [];
    const { intervalMs, timeoutMs, rise, fall, jitterPercent } = check;
    const rhythm = { intervalMs, timeoutMs, rise, fall, jitterPercent };
    const checked = backends.filter(({ state }) => state !== 'maint');
    return checked.map((backend) => {
      return {
        pool,
        poolSlot,
        slot: backend.slot,
        backend: backend.name,
        question: questionOf(backend, check),
        rhythm,
      };
    });
  });
}
