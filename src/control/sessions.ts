/**
 * Open sessions of all workers: listed in slices, between which workers move bytes, and ended by an operator. The list
 * is not one instant.
 */

import type { CloseHow } from '../core/contract.ts';
import type { SessionFilter, SessionPage, SessionView } from '../core/session-list.ts';

/** A worker's thread, as far as its sessions are concerned. */
export interface SessionThread {
  readonly index: number;
  readonly generation: number;
  ask(request: {
    readonly kind: 'list-sessions';
    readonly filter: SessionFilter;
    readonly from: number;
    readonly most: number;
  }): Promise<SessionPage>;
  post(message: {
    readonly kind: 'end-sessions';
    readonly serials: readonly number[];
    readonly how: CloseHow;
  }): void;
}

export interface OpenSession extends Omit<SessionView, 'serial'> {
  /** Never given again, nor to a session of a later worker. */
  readonly id: string;
  readonly worker: number;
}

const orders = {
  age: ({ ageMs }: OpenSession) => ageMs,
  idle: ({ idleMs }: OpenSession) => idleMs,
  bytes: ({ bytesToBackend, bytesToClient }: OpenSession) => bytesToBackend + bytesToClient,
};
export type SessionOrder = keyof typeof orders;

export interface SessionQuery {
  readonly filter: SessionFilter;
  /** The most of this come first, and no cursor is given. */
  readonly sort?: SessionOrder | undefined;
  readonly limit: number;
  readonly cursor?: string | undefined;
}

export interface SessionList {
  readonly sessions: readonly OpenSession[];
  /** Where the next list goes on; undefined where this one came to the end. */
  readonly cursor: string | undefined;
}

/** Ends that are spread over a time come in steps of this. */
const stepMs = 100;

export class Sessions {
  readonly #threads: () => readonly SessionThread[];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(threads: () => readonly SessionThread[]) {
    this.#threads = threads;
  }

  async list({ filter, sort, limit, cursor }: SessionQuery): Promise<SessionList> {
    let found: OpenSession[] = [];
    const most = sort === undefined ? limit : Number.POSITIVE_INFINITY;
    for await (const { sessions, next } of this.#slices(filter, () => most - found.length, cursor)) {
      found.push(...sessions);
      if (sort !== undefined) found = mostOf(found, orders[sort], limit);
      else if (found.length >= limit) return { sessions: found, cursor: next };
    }
    return { sessions: found, cursor: undefined };
  }

  /** Ends one; false where it has ended already. */
  async end(id: string): Promise<boolean> {
    const { worker, generation, serial } = partsOf(id);
    const thread = this.#threads().find((one) => one.index === worker && one.generation === generation);
    if (thread === undefined || serial === undefined) return false;
    for await (const { sessions } of slicesOf(thread, { serial }, () => 1)) {
      if (sessions.length === 0) continue;
      thread.post({ kind: 'end-sessions', serials: [serial], how: 'reset' });
      return true;
    }
    return false;
  }

  /**
   * Ends those that are open now and pass the filter, at most so many, and fulfils with their number. `overMs` spreads
   * the ends over a time, in no order.
   */
  async endAll(
    filter: SessionFilter,
    { how = 'reset', overMs = 0, limit = Number.POSITIVE_INFINITY }: EndOptions = {},
  ): Promise<number> {
    const { sessions } = await this.list({ filter, limit });
    const ids = shuffled(sessions.map(({ id }) => id));
    const steps = Math.max(1, Math.ceil(overMs / stepMs));
    const perStep = ids.length / steps;
    for (let step = 0; step < steps; step++) {
      const due = ids.slice(Math.round(step * perStep), Math.round((step + 1) * perStep));
      if (due.length === 0) continue;
      if (step === 0) this.#endNow(due, how);
      else this.#later(step * stepMs, () => this.#endNow(due, how));
    }
    return ids.length;
  }

  /** Cancels the ends that are still to come. */
  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer.unref());
  }

  #endNow(ids: readonly string[], how: CloseHow): void {
    for (const thread of this.#threads()) {
      const own = ids.map(partsOf).filter(({ generation }) => generation === thread.generation);
      const serials = own.flatMap(({ serial }) => (serial === undefined ? [] : [serial]));
      if (serials.length > 0) thread.post({ kind: 'end-sessions', serials, how });
    }
  }

  /** From a cursor on, each with the cursor behind it. */
  async *#slices(filter: SessionFilter, most: () => number, cursor: string | undefined) {
    const start = cursorParts(cursor);
    // A worker that took the place of one that died is the youngest: the order of all must outlast that.
    const inOrder = this.#threads().toSorted((one, other) => one.generation - other.generation);
    for (const thread of inOrder) {
      const { index, generation } = thread;
      if (generation < start.generation) continue;
      const from = generation === start.generation ? start.from : 0;
      for await (const page of slicesOf(thread, filter, most, from)) {
        const next = page.next === undefined ? `${generation + 1}.0` : `${generation}.${page.next}`;
        const sessions = page.sessions.map(({ serial, ...view }) => ({
          id: `w${index}.${generation}.${serial}`,
          worker: index,
          ...view,
        }));
        yield { sessions, next };
      }
    }
  }
}

/** A worker's open sessions, at most so many in the next slice. One that dies meanwhile has none any more. */
async function* slicesOf(thread: SessionThread, filter: SessionFilter, most: () => number, start = 0) {
  for (let from: number | undefined = start; from !== undefined; ) {
    const ask = { kind: 'list-sessions', filter, from, most: most() } as const;
    const page: SessionPage = await thread.ask(ask).catch(() => ({ sessions: [], next: undefined }));
    yield page;
    from = page.next;
  }
}

export interface EndOptions {
  readonly how?: CloseHow;
  readonly overMs?: number;
  readonly limit?: number;
}

function mostOf(
  sessions: readonly OpenSession[],
  measure: (session: OpenSession) => number,
  limit: number,
): OpenSession[] {
  return sessions.toSorted((one, other) => measure(other) - measure(one)).slice(0, limit);
}

function partsOf(id: string): Partial<Record<'worker' | 'generation' | 'serial', number>> {
  const [, worker, generation, serial] = /^w(\d{1,4})\.(\d{1,9})\.(\d{1,15})$/.exec(id) ?? [];
  if (worker === undefined) return {};
  return { worker: Number(worker), generation: Number(generation), serial: Number(serial) };
}

function cursorParts(cursor = '0.0'): { readonly generation: number; readonly from: number } {
  const [generation = 0, from = 0] = cursor.split('.').map(Number);
  return { generation, from };
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[]): readonly T[] {
  const all = [...items];
  for (let last = all.length - 1; last > 0; last--) {
    const other = Math.floor(Math.random() * (last + 1));
    // Both are within.
    [all[last], all[other]] = [all[other] as T, all[last] as T];
  }
  return all;
}
