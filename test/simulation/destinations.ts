/** To which pool a session goes that was routed, and whose turn it is where that is a split. */
import type { Ledger } from '../../src/core/ledger/ledger.ts';
import type { PoolSlot, SplitPlan } from '../../src/core/plan.ts';
import { inTurn, poolsOf } from './shadow-routes.ts';
import type { PoolNames, PoolView, ShadowSession, WorkerView } from './shadow-session.ts';
import { Tally } from './tally.ts';
import { must } from './violation.ts';

export class Destinations {
  /** Taken so far, by split. */
  readonly turns = new Tally<number>();
  readonly #ledger: Ledger;
  /** Turns that may have been taken in this event, and nobody knows. */
  readonly #doubtful = new Tally<number>();

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** `turn`: `next` if this session is the next to take one for sure, so that it is known whose it is. */
  send(worker: WorkerView, session: ShadowSession, to: Target, turn: 'next' | 'some'): void {
    const { poolNames } = session;
    const pools = this.#pools(worker, poolNames, to, turn);
    const isSure = pools.length === 1;
    const now = worker.poolNames.get(session.listener.slot);
    if (!pools.includes(undefined) || now === poolNames) return place(session, pools);
    // A reload took its pool away while it arrived: it goes by the new plan.
    const others = this.#pools(worker, now, toByNow(worker, session), isSure ? turn : 'maybe');
    place(session, [...pools.filter((pool) => pool !== undefined), ...others]);
  }

  /** A pool is gone in which a session stands, for sure or maybe: it goes on to another. */
  move(worker: WorkerView, session: ShadowSession, gone: PoolView, isQueued: boolean): void {
    const now = worker.poolNames.get(session.listener.slot);
    const pools = this.#pools(worker, now, toByNow(worker, session), isQueued ? 'some' : 'maybe');
    if (isQueued) return place(session, pools);
    const others = [...session.mayBeIn.filter((pool) => pool !== gone), ...pools];
    session.mayBeIn = others.filter((pool) => pool !== undefined);
    session.mayLackPool ||= pools.includes(undefined);
  }

  /** At the end of an event: what was in doubt can be seen now. */
  settle(): void {
    for (const slot of this.#doubtful.keys()) {
      const found = this.#ledger.splitTurns[slot] ?? 0;
      const sure = this.turns.of(slot);
      const most = sure + this.#doubtful.of(slot);
      const isRight = found >= sure && found <= most;
      must(isRight, () => `${found} turns taken of split ${slot}, expected from ${sure} to ${most}`);
      while (this.turns.of(slot) < found) this.turns.add(slot);
    }
    this.#doubtful.clear();
  }

  /** Where one may come to be that is sent there: one pool if that is certain, undefined for none. */
  #pools(
    worker: WorkerView,
    names: PoolNames | undefined,
    to: Target | undefined,
    turn: 'next' | 'some' | 'maybe',
  ): readonly (PoolView | undefined)[] {
    // A pool that has come to be in another's slot since is not the one that was meant.
    const poolIn = (slot = -1): PoolView | undefined => {
      const pool = worker.pools.get(slot);
      return pool?.plan.name === names?.get(slot) ? pool : undefined;
    };
    if (typeof to !== 'object') return [poolIn(to)];
    const taken = this.turns.of(to.slot);
    if (turn === 'maybe') this.#doubtful.add(to.slot);
    else this.turns.add(to.slot);
    return turn === 'next' ? [poolIn(inTurn(to, taken))] : poolsOf(to).map((slot) => poolIn(slot));
  }
}

type Target = PoolSlot | SplitPlan;

function toByNow(worker: WorkerView, { listener, arrival }: ShadowSession): Target | undefined {
  const now = worker.listeners.get(listener.slot);
  return now && arrival.toBy(now);
}

function place(session: ShadowSession, pools: readonly (PoolView | undefined)[]): void {
  const isSure = pools.length === 1;
  session.pool = isSure ? pools[0] : undefined;
  session.mayBeIn = isSure ? [] : pools.filter((pool) => pool !== undefined);
  session.mayLackPool = !isSure && pools.includes(undefined);
}
