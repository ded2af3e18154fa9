import type { BackendSlot } from '../../core/contract.ts';
import type { ProbeTarget } from './check.ts';

/** A backend that can't be asked now, by its name in the log. */
export type BlockedTarget = Pick<ProbeTarget, 'pool' | 'backend' | 'slot'>;

export interface BlockedChecksHost {
  /**
   * Checks can't be made for want of descriptors or memory: the last verdicts stand. Once, until all are made again.
   */
  onChecksBlocked(target: BlockedTarget, detail: string): void;
  onChecksResumed(): void;
}

/** A health check asks the backend itself, an agent check its agent. */
export type CheckKind = 'health' | 'agent';

/** Checks whose last attempt failed for a reason of our own, which says nothing of whom they ask. */
export class BlockedChecks {
  readonly #host: BlockedChecksHost;
  readonly #slots: Readonly<Record<CheckKind, Set<BackendSlot>>> = { health: new Set(), agent: new Set() };

  constructor(host: BlockedChecksHost) {
    this.#host = host;
  }

  blocked(kind: CheckKind, target: BlockedTarget, detail: string): void {
    if (this.#areNone) this.#host.onChecksBlocked(target, detail);
    this.#slots[kind].add(target.slot);
  }

  /** The check could be made again, or was ended. */
  freed(kind: CheckKind, slot: BackendSlot): void {
    if (this.#slots[kind].delete(slot) && this.#areNone) this.#host.onChecksResumed();
  }

  /** Forgets all checks of this kind but those of these backends. */
  keep(kind: CheckKind, slots: ReadonlySet<BackendSlot>): void {
    for (const slot of this.#slots[kind]) if (!slots.has(slot)) this.freed(kind, slot);
  }

  get #areNone(): boolean {
    return this.#slots.health.size + this.#slots.agent.size === 0;
  }
}
