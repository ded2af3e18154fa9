/**
 * What TLS session tickets are sealed with: chance of the process, in memory that all its threads share, so that each
 * opens what another has sealed, at every moment of a rotation. The last two keys are good; a third place is written
 * while those are read.
 */
import { randomFillSync } from 'node:crypto';

/** The name by which a ticket tells its key, and keys for HMAC-SHA-256 and AES-128, as OpenSSL wants them. */
export interface TicketKey {
  readonly name: Uint8Array;
  readonly hmac: Uint8Array;
  readonly aes: Uint8Array;
}

interface Generation {
  readonly generation: number;
  readonly current: TicketKey;
  readonly previous: TicketKey;
}

export class TicketKeys {
  readonly memory: SharedArrayBuffer;
  /** How often the keys have been changed. */
  readonly #generation: Int32Array;
  #seen: Generation;

  /** Shares the keys in the memory of another thread's; without such memory it makes new keys. */
  constructor(memory?: SharedArrayBuffer) {
    this.memory = memory ?? new SharedArrayBuffer(generationBytes + places * keyBytes);
    this.#generation = new Int32Array(this.memory, 0, 1);
    if (memory === undefined) for (let place = 0; place < places; place++) this.#draw(place);
    this.#seen = this.#read(0);
  }

  /** What new tickets are sealed with. */
  get current(): TicketKey {
    return this.#fresh().current;
  }

  /** The key of a ticket, if it is good still. */
  find(name: Uint8Array): TicketKey | undefined {
    const { current, previous } = this.#fresh();
    return [current, previous].find((key) => key.name.every((byte, at) => byte === name[at]));
  }

  /** Seals with a new key from now on, in all threads; for one of them to call. */
  rotate(): void {
    const next = Atomics.load(this.#generation, 0) + 1;
    this.#draw(next % places);
    Atomics.store(this.#generation, 0, next);
  }

  #fresh(): Generation {
    const generation = Atomics.load(this.#generation, 0);
    if (generation !== this.#seen.generation) this.#seen = this.#read(generation);
    return this.#seen;
  }

  #read(generation: number): Generation {
    const key = (place: number): TicketKey => {
      // OpenSSL gets a copy, and not the shared memory.
      const bytes = this.#bytesOf(place).slice();
      return { name: bytes.subarray(0, 16), hmac: bytes.subarray(16, 32), aes: bytes.subarray(32) };
    };
    const current = key(generation % places);
    return { generation, current, previous: key((generation + places - 1) % places) };
  }

  #draw(place: number): void {
    this.#bytesOf(place).set(randomFillSync(new Uint8Array(keyBytes)));
  }

  #bytesOf(place: number): Uint8Array {
    return new Uint8Array(this.memory, generationBytes + place * keyBytes, keyBytes);
  }
}

const generationBytes = 4;
const keyBytes = 48;
const places = 3;
