/**
 * Which addresses the workers listen on, kept in step with the configuration: the new ones are bound before
 * anything else changes, the old ones are closed last, and an address that stays keeps its socket; one that changes
 * its driver is bound by the new driver's workers before those of the old one let it go.
 */
import { chmodSync, statSync } from 'node:fs';
import { formatAddress } from '../config/addresses.ts';
import { exclude } from '../config/bind-clashes.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Address } from '../core/contract.ts';
import { BindError, refuseTakenPort } from './bind-error.ts';
import { type Binding, placeOf } from './workers/bound-addresses.ts';
import type { WorkerGroups } from './workers/worker-groups.ts';

/** An address that a listener is to have, and what there is of it already. */
interface Wanted {
  readonly who: string;
  readonly binding: Binding;
  readonly held: Binding | undefined;
}

/** The listener and the driver that an address belongs to, and whether its clients are to wait. */
export type BindingOwner = Pick<Binding, 'listener' | 'driver' | 'isPaused'>;

/** What undoes each step so far. */
type Undo = (() => Promise<void>)[];

export class Bindings {
  readonly #groups: WorkerGroups;
  /** Told where something can't be undone. */
  readonly #problem: (text: string) => void;

  constructor(groups: WorkerGroups, problem: (text: string) => void) {
    this.#groups = groups;
    this.#problem = problem;
  }

  /**
   * Does all that can fail: binds what is new. `commit` then hands over what changes its listener and closes what is
   * gone. Throws a BindError, and then what was bound is as before.
   */
  async prepare(
    listeners: readonly ListenerConfig[],
    ownerOf: (listener: ListenerConfig) => BindingOwner,
  ): Promise<{ commit(): Promise<void> }> {
    const wanted = this.#wanted(listeners, ownerOf);
    const staying = new Set(wanted.map(({ held, binding }) => isSamePlace(held, binding) && held));
    const leaving = [...this.#groups.bound.values()].filter((held) => !staying.has(held));
    const next = new Map(wanted.map(({ binding }) => [binding.writtenAs, binding]));
    const undo: Undo = [];
    const fresh = wanted
      .filter(({ held, binding }) => !isSamePlace(held, binding))
      .map((one) => ({ one, inTheWay: this.#inTheWayOf(one.binding, leaving) }))
      // Those for which another must be closed come last, so that as little as possible is to be undone.
      .toSorted((a, b) => a.inTheWay.length - b.inTheWay.length);
    try {
      for (const one of wanted) changeMode(one, undo);
      for (const { one, inTheWay } of fresh) {
        for (const other of inTheWay) {
          undo.push(() => this.#restore(other));
          await this.#groups.unlisten(other, { isSucceeded: true });
        }
        const isOurs = leaving.some((other) => exclude(other.address, one.binding.address));
        next.set(one.binding.writtenAs, await this.#bind(one, isOurs, undo));
      }
    } catch (error) {
      for (const step of undo.reverse()) await step();
      throw error;
    }
    return { commit: () => this.#commit([...next.values()]) };
  }

  /** Stops accepting everywhere. */
  async close(): Promise<void> {
    await this.#commit([]);
  }

  #wanted(
    listeners: readonly ListenerConfig[],
    ownerOf: (listener: ListenerConfig) => BindingOwner,
  ): readonly Wanted[] {
    const asked = new Map(
      listeners.flatMap((listener) =>
        listener.bind.map((address) => [wordsFor(listener, address), { listener, address }]),
      ),
    );
    const bound = [...this.#groups.bound.values()];
    const byWords = new Map(bound.map((held) => [held.writtenAs, held]));
    // A port that was got by asking for any may be asked for by its number.
    const byBound = new Map(
      bound.filter((held) => !asked.has(held.writtenAs)).map((held) => [formatAddress(held.address), held]),
    );
    return [...asked].map(([writtenAs, { listener, address }]) => {
      const held = byWords.get(writtenAs) ?? byBound.get(formatAddress(address));
      // A port that was taken stays; a unix socket may have another mode.
      const kept = 'path' in address ? address : (held?.address ?? address);
      const binding = { ...ownerOf(listener), address: kept, writtenAs };
      return { who: `Listener "${listener.name}"`, binding, held };
    });
  }

  async #bind({ who, binding, held }: Wanted, isOurs: boolean, undo: Undo): Promise<Binding> {
    // Where two listen on a unix socket, the later one has its name.
    const replaces = 'path' in binding.address && held !== undefined;
    if (replaces) undo.push(() => this.#restore(held));
    try {
      if (!isOurs) await refuseTakenPort(binding.address);
      const bound = await this.#groups.listen(binding, replaces);
      undo.push(() => this.#groups.unlisten(bound));
      return bound;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new BindError(who, binding.address, error);
    }
  }

  async #restore(held: Binding): Promise<void> {
    await this.#groups.unlisten(held);
    try {
      await this.#groups.listen(held);
    } catch (error) {
      this.#problem(`${formatAddress(held.address)} can't be bound as it was before: ${String(error)}`);
    }
  }

  /** What must be closed before it can be bound. */
  #inTheWayOf({ address, driver }: Binding, leaving: readonly Binding[]): readonly Binding[] {
    // A unix socket's name can be taken from another.
    if ('path' in address) return [];
    return leaving.filter(
      (other) => exclude(other.address, address) && !this.#groups.canShare(other.driver, driver),
    );
  }

  async #commit(next: readonly Binding[]): Promise<void> {
    const { bound } = this.#groups;
    const gone = new Map(bound);
    for (const binding of next) {
      const held = gone.get(placeOf(binding));
      gone.delete(placeOf(binding));
      if (held === undefined) continue;
      bound.set(placeOf(binding), binding);
      const isChanged =
        held.listener !== binding.listener ||
        held.isPaused !== binding.isPaused ||
        modeOf(held) !== modeOf(binding);
      if (isChanged) await this.#groups.listen(binding);
    }
    const places = new Set(next.map(({ address }) => formatAddress(address)));
    const unlistened = [...gone.values()].map((held) =>
      this.#groups.unlisten(held, { isSucceeded: places.has(formatAddress(held.address)) }),
    );
    await Promise.all(unlistened);
  }
}

/** Changes the mode of a unix socket that stays. A configuration that no longer says a mode leaves it as it is. */
function changeMode({ who, held, binding }: Wanted, undo: Undo): void {
  const { address } = binding;
  if (!('path' in address) || address.mode === undefined || held === undefined) return;
  if (!isSamePlace(held, binding) || modeOf(held) === address.mode) return;
  const { path, mode } = address;
  try {
    const before = statSync(path).mode & 0o777;
    undo.push(async () => chmodSync(path, before));
    chmodSync(path, mode);
  } catch (error) {
    throw error instanceof Error ? new BindError(who, address, error) : error;
  }
}

function modeOf({ address }: Binding): number | undefined {
  return 'path' in address ? address.mode : undefined;
}

function isSamePlace(held: Binding | undefined, binding: Binding): boolean {
  return held !== undefined && placeOf(held) === placeOf(binding);
}

/** Port 0 is another port for each listener, so there the listener's name belongs to it. */
function wordsFor(listener: ListenerConfig, address: Address): string {
  const anyPort = 'port' in address && address.port === 0;
  return anyPort ? `${formatAddress(address)} ${listener.name}` : formatAddress(address);
}
