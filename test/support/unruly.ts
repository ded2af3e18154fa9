/**
 * Peers that send random amounts, stall, finish and reset at random from a seed. What each sends tells by itself
 * whether any of it is missing, twice there, in another place or someone else's.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';

/**
 * A stream begins with how long it is, whether its sender means to finish it, where in the pattern it begins, and its
 * number.
 */
export const headBytes = 10;

let streams = 0;

/**
 * Numbers of streams whose senders have reset after all. Node before 24 can tell a reset behind unread bytes as FIN.
 */
const givenUp = new Set<number>();

/** The n-th byte is n modulo a prime, so that no two buffers of the proxy are alike. */
const period = 251;
const pattern = Buffer.from(Array.from({ length: 512 * period }, (_, n) => n % period));
const longestPiece = pattern.length - period;

/** With a connected socket: fulfils once it is closed; what came wrong is said to `complain`. */
export async function misbehave(
  socket: Socket,
  random: () => number,
  complain: (what: string) => void,
): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const incoming = new Incoming(complain);
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    incoming.take(bytes);
    if (random() < 0.02) stallAWhile(socket, random() * 20);
  });
  socket.on('end', () => incoming.end());
  const stream = ++streams;
  // Whatever else happens, it ends.
  const patience = setTimeout(
    () => {
      givenUp.add(stream);
      reset(socket);
    },
    2_000 + random() * 1_000,
  );
  void closed.then(() => clearTimeout(patience));

  const length = Math.floor(random() < 0.1 ? random() * 2_000_000 : random() * random() * 60_000);
  const leaving = random();
  const resetsAfter = random() < 0.1 ? Math.floor(random() * length) : Number.POSITIVE_INFINITY;
  const finishes = leaving >= 0.2 && resetsAfter > length;
  const start = Math.floor(random() * period);
  socket.write(head(length, finishes, start, stream));
  for (let sent = 0; sent < length && !socket.destroyed; ) {
    const piece = Math.min(length - sent, 1 + Math.floor(random() * 100_000), longestPiece);
    const at = (start + sent) % period;
    sent += piece;
    const hasRoom = socket.write(pattern.subarray(at, at + piece));
    if (!hasRoom) await Promise.race([once(socket, 'drain').catch(() => {}), closed]);
    if (random() < 0.02) await new Promise((resolve) => setTimeout(resolve, random() * 10));
    if (sent >= resetsAfter) reset(socket);
  }
  if (leaving < 0.1) reset(socket);
  else if (leaving < 0.2) socket.destroy();
  else if (!socket.destroyed) socket.end();
  await closed;
}

class Incoming {
  readonly #complain: (what: string) => void;
  #head = Buffer.alloc(0);
  #received = 0;

  constructor(complain: (what: string) => void) {
    this.#complain = complain;
  }

  take(bytes: Buffer): void {
    const missing = headBytes - this.#head.length;
    if (missing > 0) this.#head = Buffer.concat([this.#head, bytes.subarray(0, missing)]);
    if (bytes.length > missing) this.#check(bytes.subarray(missing > 0 ? missing : 0));
  }

  end(): void {
    // Who left before its first byte has promised nothing.
    if (this.#head.length < headBytes) return;
    const length = this.#head.readUInt32LE(0);
    const finishes = this.#head[4] === 1;
    if (finishes && this.#received !== length && !givenUp.has(this.#head.readUInt32LE(6)))
      this.#complain(`${this.#received} bytes of ${length}, then FIN`);
  }

  #check(bytes: Buffer): void {
    const start = this.#head[5] ?? 0;
    for (let from = 0; from < bytes.length; from += longestPiece) {
      const piece = bytes.subarray(from, from + longestPiece);
      const at = (start + this.#received + from) % period;
      if (piece.compare(pattern, at, at + piece.length) !== 0) {
        this.#complain(`${piece.length} wrong bytes after ${this.#received + from}`);
        break;
      }
    }
    this.#received += bytes.length;
  }
}

/** The stream that is left of one, given its head, when the first so many of the bytes behind it are missing. */
export function headBehind(original: Uint8Array, missingBytes: number): Buffer {
  const bytes = Buffer.from(original);
  const start = ((bytes[5] ?? 0) + missingBytes) % period;
  return head(bytes.readUInt32LE(0) - missingBytes, bytes[4] === 1, start, bytes.readUInt32LE(6));
}

/** Whether these are the bytes behind such a head. */
export function isBehind(head: Uint8Array, bytes: Uint8Array): boolean {
  const start = head[5] ?? 0;
  return bytes.every((byte, n) => byte === (start + n) % period);
}

function head(length: number, finishes: boolean, start: number, stream: number): Buffer {
  const bytes = Buffer.alloc(headBytes);
  bytes.writeUInt32LE(length);
  bytes[4] = finishes ? 1 : 0;
  bytes[5] = start;
  bytes.writeUInt32LE(stream, 6);
  return bytes;
}

/**
 * Resets, but not while Node is sending FIN: libuv then refuses (EINVAL), and the socket would be neither closed nor
 * ever say that it is.
 */
function reset(socket: Socket, attempts = 10): void {
  if (socket.destroyed) return;
  const isFinishing = socket.writableEnded && !socket.writableFinished;
  if (isFinishing && attempts > 0) setTimeout(() => reset(socket, attempts - 1), 5);
  else socket.resetAndDestroy();
}

function stallAWhile(socket: Socket, ms: number): void {
  socket.pause();
  setTimeout(() => socket.resume(), ms);
}
