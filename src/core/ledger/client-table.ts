/**
 * How many connections each client has, and its token bucket: a set-associative table of fixed size, so that
 * memory does not grow with the number of addresses ever seen. An address may stand in the 16 places that
 * its hash names; where all are taken, the one whose client has no connection and was refilled longest ago
 * makes room. A place with connections is never given away. Every method wants the ledger's lock held.
 */
import type { SharedArea, SharedCounts } from './shared-counts.ts';

/** A place in the table; valid while a connection of that client is counted there. */
export type ClientPlace = number;

/** The 16 bytes of an IPv6 (or IPv4-mapped) address as four words. */
export type AddressWords = readonly [number, number, number, number];

export interface ClientArea {
  readonly keys: Int32Array;
  readonly active: SharedArea;
  readonly tokens: Float64Array;
  readonly filledMs: Float64Array;
}

const ways = 16;
const keyWords = 5;

export class ClientTable {
  readonly active: SharedCounts;
  readonly tokens: Float64Array;
  readonly filledMs: Float64Array;
  readonly #keys: Int32Array;
  readonly #sets: number;

  constructor(area: ClientArea, active: SharedCounts) {
    this.#keys = area.keys;
    this.active = active;
    this.tokens = area.tokens;
    this.filledMs = area.filledMs;
    this.#sets = Math.floor(area.tokens.length / ways);
  }

  /** The client's place, made if need be; undefined where all places that could be its are in use. */
  place(listener: number, address: AddressWords): ClientPlace | undefined {
    const first = (hash(listener, address) % this.#sets) * ways;
    let spare: ClientPlace | undefined;
    for (let place = first; place < first + ways; place++) {
      if (this.#holds(place, listener, address)) return place;
      if (this.active.total(place) > 0) continue;
      if (spare === undefined || this.#filled(place) < this.#filled(spare)) spare = place;
    }
    if (spare !== undefined) this.#give(spare, listener, address);
    return spare;
  }

  /** Knows from now on whom another of the same size knows. */
  imitate(other: ClientTable): void {
    this.#keys.set(other.#keys);
    this.active.imitate(other.active);
    this.tokens.set(other.tokens);
    this.filledMs.set(other.filledMs);
  }

  /** Of a free place 0, so that it is taken first. */
  #filled(place: ClientPlace): number {
    return this.#keys[place * keyWords] === 0 ? 0 : (this.filledMs[place] ?? 0);
  }

  #holds(place: ClientPlace, listener: number, [a, b, c, d]: AddressWords): boolean {
    const at = place * keyWords;
    const keys = this.#keys;
    return (
      keys[at] === listener + 1 &&
      keys[at + 1] === a &&
      keys[at + 2] === b &&
      keys[at + 3] === c &&
      keys[at + 4] === d
    );
  }

  #give(place: ClientPlace, listener: number, address: AddressWords): void {
    this.#keys.set([listener + 1, ...address], place * keyWords);
    this.tokens[place] = 0;
    this.filledMs[place] = 0;
  }
}

/** Mixes as MurmurHash3's 32-bit variant does (Austin Appleby, public domain algorithm). */
function hash(listener: number, address: AddressWords): number {
  let mixed = listener;
  for (const word of address) {
    let k = Math.imul(word, 0xcc9e2d51);
    k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
    mixed ^= k;
    mixed = Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64;
  }
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
