/**
 * The two BIOs between which OpenSSL works, for all connections of a thread. What is in them is said in words of memory
 * that both sides see, so that it takes no calls: the incoming one reads cipher text where it lies, and the outgoing
 * one collects what is to be sent, or writes it where it is lent room.
 */
import type { Pointer } from '../../uring/libc.ts';
import { writeAddress } from '../../uring/ring-memory.ts';
import * as ssl from './constants.ts';
import type { Library, OpenSsl } from './library.ts';

export class Bios {
  readonly incoming: Pointer;
  readonly outgoing: Pointer;
  readonly #openSsl: OpenSsl;
  readonly #unread: BufMem;
  readonly #collected: BufMem;
  readonly #lent: BufMem;
  /** Of those collected, the first ones. */
  #takenBytes = 0;

  constructor(library: Library) {
    const { openSsl } = library;
    this.#openSsl = openSsl;
    // Its memory is never read: what is fed takes its place.
    this.incoming = openSsl.BIO_new_mem_buf(openSsl.BIO_s_mem(), 0);
    // Whoever finds it empty is to wait for more.
    openSsl.BIO_ctrl(this.incoming, ssl.BIO_C_SET_BUF_MEM_EOF_RETURN, -1, 0);
    openSsl.BIO_ctrlPointer(this.incoming, ssl.BIO_C_GET_BUF_MEM_PTR, 0, pointerRead);
    this.#unread = new BufMem(library, Number(pointerRead[0]));
    this.outgoing = openSsl.BIO_new(openSsl.BIO_s_mem());
    this.#collected = new BufMem(library, openSsl.BUF_MEM_new());
    // What it is lent is never OpenSSL's to free, and so neither is this.
    this.#lent = new BufMem(library, openSsl.malloc(bufMemBytes));
    this.#writeTo(this.#collected);
  }

  /** It must stay where it is until all of it was read. */
  feed(cipherText: Pointer, bytes: number): void {
    this.#unread.set(cipherText, bytes, bytes);
  }

  get unreadBytes(): number {
    return this.#unread.length;
  }

  /** What was fed is nobody's any more. */
  forgetUnread(): void {
    this.#unread.length = 0;
  }

  get collectedBytes(): number {
    return this.#collected.length - this.#takenBytes;
  }

  /** Returns how many bytes it has written. All that is collected must be taken before OpenSSL writes again. */
  take(into: Pointer, room: number): number {
    if (this.collectedBytes === 0) return 0;
    const taken = Math.max(0, this.#openSsl.BIO_read(this.outgoing, into, room));
    // Reading moves an offset on, but not the length: it is ours to set.
    this.#takenBytes += taken;
    if (this.collectedBytes === 0) this.#noteEmpty();
    return taken;
  }

  #noteEmpty(): void {
    this.#takenBytes = 0;
    this.#collected.length = 0;
  }

  forgetCollected(): void {
    this.#openSsl.BIO_ctrl(this.outgoing, ssl.BIO_CTRL_RESET, 0, 0);
    this.#noteEmpty();
  }

  /**
   * Until `takeBack`, where nothing is collected: what is to be sent is written there. There must be room for all of
   * it.
   */
  lend(room: Pointer, bytes: number): void {
    this.#lent.set(room, 0, bytes);
    this.#writeTo(this.#lent);
  }

  /** Returns how many bytes were written into the room that was lent. */
  takeBack(): number {
    this.#writeTo(this.#collected);
    return this.#lent.length;
  }

  #writeTo(memory: BufMem): void {
    this.#openSsl.BIO_ctrl(this.outgoing, ssl.BIO_C_SET_BUF_MEM, ssl.BIO_NOCLOSE, memory.pointer);
  }

  /** Once no connection is left. */
  free(): void {
    const openSsl = this.#openSsl;
    openSsl.BIO_free(this.incoming);
    openSsl.BIO_free(this.outgoing);
    openSsl.BUF_MEM_free(this.#collected.pointer);
    openSsl.free(this.#lent.pointer);
  }
}

/** `struct buf_mem_st` of openssl/buffer.h: `size_t length; char *data; size_t max;` and flags. */
class BufMem {
  readonly pointer: Pointer;
  readonly #words: Uint32Array;

  constructor({ view }: Library, pointer: Pointer) {
    this.pointer = pointer;
    this.#words = new Uint32Array(view(pointer, bufMemBytes));
  }

  set(address: Pointer, length: number, room: number): void {
    this.length = length;
    writeAddress(this.#words, fields.data, address);
    writeAddress(this.#words, fields.max, room);
  }

  get length(): number {
    return this.#words[fields.length] ?? 0;
  }

  set length(bytes: number) {
    writeAddress(this.#words, fields.length, bytes);
  }
}

/** In words of four bytes. */
const fields = { length: 0, data: 2, max: 4 };
const bufMemBytes = 32;

const pointerRead = new BigUint64Array(1);
