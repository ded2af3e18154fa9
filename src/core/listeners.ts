/**
 * The listeners of a worker. One is in the plan until its sockets are closed: what waits in their accept queues may
 * still come. What there is of it, its keys too, is forgotten with its last session.
 */
import type { Gate } from './admission/gate.ts';
import { gatesOf } from './admission/gates.ts';
import type { ListenerState } from './admission/pending-client.ts';
import type { ListenerSlot } from './contract.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { Plan } from './plan.ts';
import { Router } from './router.ts';

interface KnownListener {
  readonly state: ListenerState;
  readonly gates: readonly Gate[];
  /** Sessions of its that are not over, by whichever plan. */
  sessions: number;
  isPlanned: boolean;
}

export class Listeners {
  readonly #ledger: Ledger;
  readonly #known = new Map<ListenerSlot, KnownListener>();
  #serial = 0;
  /** Of all listeners. */
  openSessions = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  find(slot: ListenerSlot): Pick<KnownListener, 'state' | 'gates'> | undefined {
    return this.#known.get(slot);
  }

  /** A listener by the plan of now, or by the last one that had it. */
  current(listener: ListenerState): ListenerState {
    return this.#known.get(listener.plan.slot)?.state ?? listener;
  }

  follow({ listeners, pools }: Plan): void {
    const poolNames = new Map(pools.map(({ slot, name }) => [slot, name]));
    for (const known of this.#known.values()) known.isPlanned = false;
    for (const plan of listeners) {
      const state = { plan, router: new Router(plan.routes, this.#ledger), poolNames };
      const sessions = this.#known.get(plan.slot)?.sessions ?? 0;
      this.#known.set(plan.slot, { state, gates: gatesOf(plan), sessions, isPlanned: true });
    }
    for (const slot of this.#known.keys()) this.#forgetUnused(slot);
  }

  /** A session of it has begun; returns its number, given once in a worker's life. */
  began(slot: ListenerSlot): number {
    const known = this.#known.get(slot);
    if (known !== undefined) known.sessions++;
    this.openSessions++;
    return ++this.#serial;
  }

  ended(slot: ListenerSlot): void {
    this.openSessions--;
    const known = this.#known.get(slot);
    if (known === undefined) return;
    known.sessions--;
    this.#forgetUnused(slot);
  }

  #forgetUnused(slot: ListenerSlot): void {
    const known = this.#known.get(slot);
    if (known?.sessions === 0 && !known.isPlanned) this.#known.delete(slot);
  }
}
