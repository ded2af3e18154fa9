/**
 * Says for each server that it is time to look at its certificate again: once a second, however many handshakes there
 * are.
 */
export class PeerLooks {
  readonly #nextMs = new Map<string, number>();

  isDue(server: string, nowMs: number): boolean {
    if (nowMs < (this.#nextMs.get(server) ?? 0)) return false;
    if (this.#nextMs.size >= most) this.#nextMs.clear();
    this.#nextMs.set(server, nowMs + everyMs);
    return true;
  }
}

const everyMs = 1_000;
const most = 10_000;
