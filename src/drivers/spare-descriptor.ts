/**
 * A descriptor to accept a client with that is to be turned away, where there is none left: it would wait in the
 * kernel's queue otherwise, for as long as others hold theirs.
 *
 * libuv has one for that too. But where other threads accept at the same time, one of them may take it as it is given
 * up; from then on libuv finds a client in each turn that it can't accept, and Node 26 spins.
 */
import { closeSync, openSync } from 'node:fs';

export class SpareDescriptor {
  #fd = openOne();

  /** Closes it, so that the next client can be accepted. */
  give(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  /** To be called whenever a descriptor was closed. */
  take(): void {
    this.#fd ??= openOne();
  }
}

function openOne(): number | undefined {
  try {
    return openSync('/dev/null', 'r');
  } catch {
    return undefined;
  }
}
