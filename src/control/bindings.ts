/**
 * Which addresses the workers listen on, kept in step with the configuration: the new ones are bound before
 * anything else changes, the old ones are closed last, and an address that stays keeps its socket; one that changes
 * its driver is bound by the new driver's workers before those of the old one let it go.
 */
import { formatAddress } from '../config/addresses.ts';
import type { ListenerConfig } from '../config/config.ts';
import type { Address, ListenerSlot } from '../core/contract.ts';
import { BindError } from './bind-error.ts';
import type { Binding, Crews } from './crews.ts';
import { refuseTakenPort } from './taken-port.ts';

export class Bindings {
  readonly #crews: Crews;
  /** What the configuration asks for, by its own words, and what came of it. */
  #held = new Map<string, Binding>();

  constructor(crews: Crews) {
    this.#crews = crews;
  }

  /** The addresses as they are bound, for each listener. */
  bySlot(): ReadonlyMap<ListenerSlot, readonly Address[]> {
    const bound = new Map<ListenerSlot, Address[]>();
    for (const { listener, address } of this.#held.values()) {
      const addresses = bound.get(listener);
      if (addresses === undefined) bound.set(listener, [address]);
      else addresses.push(address);
    }
    return bound;
  }

  /**
   * Binds what is new; `settle` then hands over what changes its listener and closes what is gone.
   * Throws a BindError, and then what was bound is as before.
   */
  async prepare(
    listeners: readonly ListenerConfig[],
    ownerOf: (listener: ListenerConfig) => Pick<Binding, 'listener' | 'driver'>,
  ): Promise<{ settle(): Promise<void> }> {
    const next = new Map<string, Binding>();
    const fresh: Binding[] = [];
    try {
      for (const listener of listeners) {
        for (const wanted of listener.bind) {
          const key = wordsFor(listener, wanted);
          const held = this.#held.get(key);
          const binding = { ...ownerOf(listener), address: held?.address ?? wanted };
          if (held !== undefined && (held.driver === binding.driver || !this.#crews.canMove(held.address))) {
            next.set(key, binding);
            continue;
          }
          const bound = await this.#bind(listener, binding, held === undefined);
          fresh.push(bound);
          next.set(key, bound);
        }
      }
    } catch (error) {
      for (const binding of fresh) await this.#crews.unlisten(binding);
      throw error;
    }
    return { settle: () => this.#settle(next) };
  }

  /** Stops accepting everywhere. */
  async close(): Promise<void> {
    await this.#settle(new Map());
  }

  async #settle(next: Map<string, Binding>): Promise<void> {
    const before = this.#held;
    this.#held = next;
    for (const [key, binding] of next) {
      const held = before.get(key);
      if (held === undefined) continue;
      const moves = held.driver !== binding.driver;
      // Bound by its new driver's workers already, or to be closed first: nobody can listen there beside another.
      if (moves) await this.#crews.unlisten(held);
      if (moves ? !this.#crews.canMove(held.address) : held.listener !== binding.listener) {
        await this.#crews.listen(binding);
      }
    }
    const gone = [...before].filter(([key]) => !next.has(key));
    await Promise.all(gone.map(([, binding]) => this.#crews.unlisten(binding)));
  }

  async #bind(listener: ListenerConfig, binding: Binding, isNew: boolean): Promise<Binding> {
    try {
      if (isNew) await refuseTakenPort(binding.address);
      return await this.#crews.listen(binding);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      throw new BindError(`Listener "${listener.name}"`, binding.address, error);
    }
  }
}

/** Port 0 is another port for each listener, so there the listener's name belongs to it. */
function wordsFor(listener: ListenerConfig, address: Address): string {
  const anyPort = 'port' in address && address.port === 0;
  return anyPort ? `${formatAddress(address)} ${listener.name}` : formatAddress(address);
}
