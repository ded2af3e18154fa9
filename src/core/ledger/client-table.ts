/**
 * How many connections each client has, and its token bucket: a hash table with chains, of fixed size, so that memory
 * does not grow with the number of addresses ever seen. Any client may stand in any place, so all of them can be
 * filled; its hash is keyed by chance, so no stranger can choose whose chain is long. A hand goes round over the
 * places and finds for a new client one that is free, or the place of a client without a connection; a place with
 * connections is never given away. Every method but `inUse` wants the ledger's lock held.
 *
 * A worker may die between any two stores. Each link changes by one store, so a chain is always whole; a place that
 * was in no chain at that moment is found by the hand, as any other.
 */
import { keyedHash } from './keyed-hash.ts';
import type { SharedCounts } from './shared-counts.ts';

/** A place in the table; valid while a connection of that client is counted there. */
export type ClientPlace = number;

/** The 16 bytes of an IPv6 (or IPv4-mapped) address as four words. */
export type AddressWords = readonly [number, number, number, number];

export interface ClientKeys {
  /** Five words a place: the listener's slot + 1 (0: free) and the 16 bytes of its address. */
  readonly keys: Int32Array;
  /** The first place of a chain + 1, by hash; and the next of its chain + 1, by place. 0 ends a chain. */
  readonly heads: Int32Array;
  readonly next: Int32Array;
  /** Two words of the hash's key, where the hand is, and how many places it has passed in advance. */
  readonly state: Int32Array;
}

/** The connections of a client and its token bucket, by place. */
export interface ClientCounts {
  readonly active: SharedCounts;
  readonly tokens: Float64Array;
  readonly filledMs: Float64Array;
}

const stateWords = { key: 0, hand: 2, debt: 3 };
/** The hand passes so many places, and the one that was not used for longest is taken. */
const choices = 16;
/**
 * What a new client may have the hand pass, on average: after a long way over places in use (at most all of them, a
 * fifth of a millisecond), the next clients can't have it go on until the debt is paid.
 */
const placesForEach = 256;

const keyWords = 5;

export class ClientTable {
  readonly active: SharedCounts;
  readonly tokens: Float64Array;
  readonly filledMs: Float64Array;
  readonly #area: ClientKeys;
  readonly #places: number;

  constructor(area: ClientKeys, { active, tokens, filledMs }: ClientCounts) {
    this.#area = area;
    this.active = active;
    this.tokens = tokens;
    this.filledMs = filledMs;
    this.#places = tokens.length;
  }

  /** Words that the table needs for its own state. */
  static readonly stateWords = 4;
  /** Words of a place's key. */
  static readonly keyWords = keyWords;

  /** To be called once, before the first client: two words of chance. */
  seed(words: Int32Array): void {
    this.#area.state.set(words.subarray(0, 2), stateWords.key);
  }

  /** The client's place, made if need be; undefined where (nearly) all places are in use. */
  place(listener: number, address: AddressWords): ClientPlace | undefined {
    const known = this.find(listener, address);
    if (known !== undefined) return known;
    const spare = this.#findSpare();
    if (spare !== undefined) this.#assign(spare, listener, address);
    return spare;
  }

  /** The client's place, where it has one. */
  find(listener: number, address: AddressWords): ClientPlace | undefined {
    const { heads, next } = this.#area;
    for (let link = heads[this.#chainOf(listener, address)] ?? 0; link !== 0; link = next[link - 1] ?? 0) {
      if (this.#holds(link - 1, listener, address)) return link - 1;
    }
    return undefined;
  }

  /**
   * Places of the clients of a listener that have connections, in no order. Looks at all places, which takes a fraction
   * of a millisecond, and wants no lock for that: what it finds may be over, or another's, when the lock is held.
   */
  inUse(listener: number): readonly ClientPlace[] {
    const { keys } = this.#area;
    const places: ClientPlace[] = [];
    for (let place = 0; place < this.#places; place++)
      if (keys[place * keyWords] === listener + 1 && this.active.relaxed(place) > 0) places.push(place);
    return places;
  }

  /** The client that has a place, where that is one of this listener. */
  clientAt(place: ClientPlace, listener: number): AddressWords | undefined {
    const [owner, a = 0, b = 0, c = 0, d = 0] = this.#area.keys.subarray(
      place * keyWords,
      (place + 1) * keyWords,
    );
    return owner === listener + 1 ? [a, b, c, d] : undefined;
  }

  /** Copies which clients another table of the same size knows; connections and buckets are copied separately. */
  copyFrom(other: ClientTable): void {
    const { keys, heads, next, state } = this.#area;
    keys.set(other.#area.keys);
    heads.set(other.#area.heads);
    next.set(other.#area.next);
    state.set(other.#area.state);
  }

  /** Sends the hand on until it has passed enough to choose from, or as much as it may. */
  #findSpare(): ClientPlace | undefined {
    const { keys, state } = this.#area;
    let debt = Math.max(0, (state[stateWords.debt] ?? 0) - placesForEach);
    let hand = (state[stateWords.hand] ?? 0) % this.#places;
    let spare: ClientPlace | undefined;
    for (let passed = 0; passed < this.#places; passed++) {
      if (passed >= choices && spare !== undefined) break;
      if (passed >= placesForEach && ++debt > this.#places) break;
      const place = hand;
      hand = hand + 1 === this.#places ? 0 : hand + 1;
      if (this.active.relaxed(place) > 0) continue;
      if (keys[place * keyWords] === 0) {
        spare = place;
        break;
      }
      if (spare === undefined || (this.filledMs[place] ?? 0) < (this.filledMs[spare] ?? 0)) spare = place;
    }
    state[stateWords.debt] = debt;
    state[stateWords.hand] = hand;
    return spare;
  }

  #holds(place: ClientPlace, listener: number, [a, b, c, d]: AddressWords): boolean {
    const at = place * keyWords;
    const { keys } = this.#area;
    return (
      keys[at] === listener + 1 &&
      keys[at + 1] === a &&
      keys[at + 2] === b &&
      keys[at + 3] === c &&
      keys[at + 4] === d
    );
  }

  #assign(place: ClientPlace, listener: number, address: AddressWords): void {
    const { keys, heads, next } = this.#area;
    this.#unlink(place);
    keys.set([listener + 1, ...address], place * keyWords);
    this.tokens[place] = 0;
    this.filledMs[place] = 0;
    const chain = this.#chainOf(listener, address);
    next[place] = heads[chain] ?? 0;
    heads[chain] = place + 1;
  }

  /** Takes a place out of the chain of the client that had it, if it is in there. */
  #unlink(place: ClientPlace): void {
    const { keys, heads, next } = this.#area;
    const [owner = 0, a = 0, b = 0, c = 0, d = 0] = keys.subarray(place * keyWords, (place + 1) * keyWords);
    if (owner === 0) return;
    const chain = this.#chainOf(owner - 1, [a, b, c, d]);
    const link = place + 1;
    if (heads[chain] === link) heads[chain] = next[place] ?? 0;
    for (let before = heads[chain] ?? 0; before !== 0; before = next[before - 1] ?? 0) {
      if (next[before - 1] === link) next[before - 1] = next[place] ?? 0;
    }
    keys[place * keyWords] = 0;
  }

  #chainOf(listener: number, [a, b, c, d]: AddressWords): number {
    const { state } = this.#area;
    return keyedHash([state[0] ?? 0, state[1] ?? 0], [listener, a, b, c, d]) % this.#places;
  }
}
