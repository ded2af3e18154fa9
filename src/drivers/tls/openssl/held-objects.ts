/**
 * What OpenSSL keeps for a thread, noted in shared memory with the call that frees it, so that another thread can do so
 * after this one has ended without running another line: terminated, or out of heap.
 */
import type { Pointer } from '../../uring/libc.ts';
import type { Library, OpenSsl } from './library.ts';

const frees = [
  'SSL_free',
  'SSL_CTX_free',
  'SSL_SESSION_free',
  'BIO_free',
  'BUF_MEM_free',
  'X509_free',
  'EVP_PKEY_free',
  'free',
] as const satisfies readonly (keyof OpenSsl)[];

type Free = (typeof frees)[number];

/** More than a process can have connections, and what they share; those beyond are not noted. */
const places = 2 ** 20;
const notesAt = 8;
const countsAt = notesAt + 8 * places;

/** Pages of it that are never touched cost nothing. */
export const heldObjectsBytes = countsAt + 4 * places;

export class HeldObjects {
  /** How many places have ever been taken. */
  readonly #taken: Uint32Array;
  /** The pointer and the number of what frees it, as one number; 0 is none. */
  readonly #notes: Float64Array;
  /** How often it is to be freed: OpenSSL gives some pointers again and again, and counts. */
  readonly #counts: Uint32Array;
  /** Of each note, for the thread that writes them. */
  readonly #places = new Map<number, number>();
  readonly #vacant: number[] = [];

  constructor(shared: SharedArrayBuffer, at: number) {
    this.#taken = new Uint32Array(shared, at, 1);
    this.#notes = new Float64Array(shared, at + notesAt, places);
    this.#counts = new Uint32Array(shared, at + countsAt, places);
  }

  /** The library, but noting what is made and freed. */
  noting(library: Library): Library {
    const { openSsl } = library;
    const made = (free: Free, pointer: Pointer): Pointer => {
      if (pointer !== 0) this.#add(noteOf(free, pointer));
      return pointer;
    };
    // Before, for another thread may be given the same pointer right after. What is lost in between is the lesser evil.
    const freeing =
      <R>(free: Free, call: (pointer: Pointer) => R): ((pointer: Pointer) => R) =>
      (pointer) => {
        this.#remove(noteOf(free, pointer));
        return call(pointer);
      };
    return {
      ...library,
      openSsl: {
        ...openSsl,
        SSL_new: (context) => made('SSL_free', openSsl.SSL_new(context)),
        SSL_CTX_new: (method) => made('SSL_CTX_free', openSsl.SSL_CTX_new(method)),
        SSL_get1_session: (ssl) => made('SSL_SESSION_free', openSsl.SSL_get1_session(ssl)),
        BIO_new: (method) => made('BIO_free', openSsl.BIO_new(method)),
        BIO_new_mem_buf: (memory, bytes) => made('BIO_free', openSsl.BIO_new_mem_buf(memory, bytes)),
        BUF_MEM_new: () => made('BUF_MEM_free', openSsl.BUF_MEM_new()),
        PEM_read_bio_X509: (...given) => made('X509_free', openSsl.PEM_read_bio_X509(...given)),
        PEM_read_bio_PrivateKey: (...given) =>
          made('EVP_PKEY_free', openSsl.PEM_read_bio_PrivateKey(...given)),
        malloc: (bytes) => made('free', openSsl.malloc(bytes)),
        SSL_free: freeing('SSL_free', openSsl.SSL_free),
        SSL_CTX_free: freeing('SSL_CTX_free', openSsl.SSL_CTX_free),
        SSL_SESSION_free: freeing('SSL_SESSION_free', openSsl.SSL_SESSION_free),
        BIO_free: freeing('BIO_free', openSsl.BIO_free),
        BUF_MEM_free: freeing('BUF_MEM_free', openSsl.BUF_MEM_free),
        X509_free: freeing('X509_free', openSsl.X509_free),
        EVP_PKEY_free: freeing('EVP_PKEY_free', openSsl.EVP_PKEY_free),
        free: freeing('free', openSsl.free),
      },
    };
  }

  get areThere(): boolean {
    return this.#taken[0] !== 0;
  }

  /** To be called once the thread has ended, by another. */
  freeAll(openSsl: Pick<OpenSsl, Free>): void {
    for (let place = 0; place < (this.#taken[0] ?? 0); place++) {
      const note = this.#notes[place] ?? 0;
      const free = frees[note % frees.length];
      if (note === 0 || free === undefined) continue;
      for (let count = this.#counts[place] ?? 0; count > 0; count--)
        openSsl[free](Math.floor(note / frees.length));
    }
  }

  #add(note: number): void {
    const known = this.#places.get(note);
    if (known !== undefined) {
      this.#counts[known] = (this.#counts[known] ?? 0) + 1;
      return;
    }
    const place = this.#vacant.pop() ?? this.#next();
    if (place === places) return;
    this.#places.set(note, place);
    this.#notes[place] = note;
    this.#counts[place] = 1;
  }

  #next(): number {
    const taken = this.#taken[0] ?? 0;
    if (taken < places) this.#taken[0] = taken + 1;
    return taken;
  }

  #remove(note: number): void {
    const place = this.#places.get(note);
    if (place === undefined) return;
    const count = (this.#counts[place] ?? 0) - 1;
    this.#counts[place] = count;
    if (count > 0) return;
    this.#notes[place] = 0;
    this.#places.delete(note);
    this.#vacant.push(place);
  }
}

/** Pointers stay below 2⁴⁸, so that there is room for three bits. */
function noteOf(free: Free, pointer: Pointer): number {
  return pointer * frees.length + frees.indexOf(free);
}
