import type { Socket } from 'node:net';
import type { ProbeHttp } from '../../../config/config.ts';
import { readUntil } from './reading.ts';

/** Passes when the answer's status is among the expected. Redirects are not followed: a 301 is a 301. */
export async function exchange(
  socket: Socket,
  { method, path, host, expectStatus }: ProbeHttp & { readonly host: string },
): Promise<void> {
  const passes = (status: number): boolean =>
    expectStatus.some(({ from, to }) => status >= from && status <= to);
  // One request on a connection of its own: a kept one would hide that its listener has died.
  const length = method === 'POST' ? ['Content-Length: 0'] : [];
  const head = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...length, 'Connection: close'];
  socket.write(`${head.join('\r\n')}\r\n\r\n`);

  const reader = new StatusReader(passes);
  const status = await readUntil(
    socket,
    (chunk) => reader.push(chunk),
    () => reader.end(),
  );
  if (!passes(status)) throw new Error(`Expected status ${rangesText(expectStatus)}, found ${status}`);
}

function rangesText(ranges: ProbeHttp['expectStatus']): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(' or ');
}

/**
 * Finds the status of an HTTP/1 answer in its first line, and reads nothing into the rest: an answer whose body goes
 * on, breaks off or is framed in a way of its own is an answer. Lines may end with LF alone, and empty ones may come
 * first (RFC 9112, 2.2).
 *
 *     start ── status line ─▶ found, or in the head of an informational answer, which another one follows
 */
class StatusReader {
  readonly #passes: (status: number) => boolean;
  #line = '';
  #bytes = 0;
  #afterInformational = false;

  /** An informational status (100 to 199) counts only where it is one that `passes`. */
  constructor(passes: (status: number) => boolean) {
    this.#passes = passes;
  }

  /** The status, once it is known. Throws where these are no answers in HTTP. */
  push(bytes: Uint8Array): number | undefined {
    this.#bytes += bytes.length;
    for (const byte of bytes) {
      if (byte !== lineFeed) {
        if (this.#line.length < keptOfLine) this.#line += String.fromCharCode(byte);
        continue;
      }
      const status = this.#lineEnded();
      if (status !== undefined) return status;
    }
    this.#expectStatusLine();
    if (this.#bytes > headsMaxBytes) throw new Error('Expected a status, found only heads of 64 KiB');
    return undefined;
  }

  /** The answer is over, and with it its last line. */
  end(): number {
    const status = this.#lineEnded();
    if (status === undefined) throw new Error('Connection closed before the response was complete');
    return status;
  }

  #lineEnded(): number | undefined {
    this.#expectStatusLine();
    const found = statusLine.exec(this.#line)?.[1];
    const isEmpty = this.#line.trim() === '';
    if (found === undefined && !isEmpty && !this.#afterInformational) throw notHttp(this.#line);
    this.#line = '';
    if (found === undefined) return undefined;
    const status = Number(found);
    this.#afterInformational = status < 200 && status !== switchingProtocols && !this.#passes(status);
    return this.#afterInformational ? undefined : status;
  }

  /** Rejects another protocol at its first bytes: there may never be more. */
  #expectStatusLine(): void {
    const start = this.#line.trimStart().slice(0, protocol.length).toUpperCase();
    if (!this.#afterInformational && !protocol.startsWith(start)) throw notHttp(this.#line);
  }
}

const lineFeed = 0x0a;
const protocol = 'HTTP/';
const switchingProtocols = 101;
/** The three digits stand alone, with a reason behind them or without one. */
const statusLine = /^\s*HTTP\/\d+(?:\.\d+)?[ \t]+(\d{3})(?=\s|$)/i;
const keptOfLine = 64;
const headsMaxBytes = 64 * 1024;

function notHttp(line: string): Error {
  return new Error(`Expected a status line of HTTP, found ${JSON.stringify(line.trim())}`);
}
