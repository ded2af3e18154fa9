/**
 * Reads what a TLS client says first: the ClientHello of TLS 1.0 to 1.3 (RFC 8446, 4.1.2; RFC 5246, 7.4.1.2).
 * With Encrypted Client Hello it reads the outer one, which is all that a proxy can see.
 */
import type { Cursor } from './cursor.ts';
import { HelloMessage } from './hello-message.ts';
import { hostName } from './host-name.ts';
import type { ParseResult } from './parse-result.ts';

export interface ClientHello {
  /** The server name (RFC 6066, 3) in lower case, without a dot at its end. */
  readonly sni: string | undefined;
  /** Protocol names (RFC 7301) in the client's order, each byte as one character; empty if it names none. */
  readonly alpn: readonly string[];
}

/**
 * Finds a hello once all of it is there. It is `mismatch` if any length does not fill what it is the length of
 * exactly, if server name or ALPN come twice, and if the server name is none that a host can have: with NUL or
 * letters beyond ASCII in it, backends would not agree on what it names.
 */
export class ClientHelloReader {
  readonly #message = new HelloMessage();
  #answer: ParseResult<ClientHello> = { state: 'incomplete' };

  /** Takes all bytes from the first one on, again whenever there are more; each is looked at once. */
  read(bytes: Uint8Array): ParseResult<ClientHello> {
    if (this.#answer.state !== 'incomplete') return this.#answer;
    const message = this.#message.read(bytes);
    if (message.state === 'complete') this.#answer = helloIn(message.body);
    else this.#answer = message;
    return this.#answer;
  }
}

function helloIn(body: Cursor): ParseResult<ClientHello> {
  if (body.uint8() !== majorVersion) return mismatch;
  body.skip(minorVersionAndRandom);
  const sessionId = body.uint8();
  body.skip(sessionId);
  const cipherSuites = body.uint16();
  body.skip(cipherSuites);
  const compressions = body.uint8();
  body.skip(compressions);
  const sized = sessionId <= 32 && cipherSuites > 0 && cipherSuites % 2 === 0 && compressions > 0;
  if (!sized) return mismatch;
  // Before TLS 1.3 a hello may end here.
  const extensions = body.hasMore ? body.slice(body.uint16()) : body;
  const named = namesIn(extensions);
  return named !== undefined && extensions.finished && body.finished ? named : mismatch;
}

/** Undefined if server name or ALPN come twice or are malformed. */
function namesIn(extensions: Cursor): ParseResult<ClientHello> | undefined {
  let sni: string | undefined;
  let alpn: readonly string[] | undefined;
  while (extensions.hasMore) {
    const type = extensions.uint16();
    const extension = extensions.slice(extensions.uint16());
    if (type === serverNameExtension) {
      if (sni !== undefined) return undefined;
      sni = serverName(extension);
      if (sni === undefined) return undefined;
    } else if (type === alpnExtension) {
      if (alpn !== undefined) return undefined;
      alpn = protocolNames(extension);
      if (alpn === undefined) return undefined;
    }
  }
  return { state: 'complete', sni, alpn: alpn ?? [] };
}

/** The list has room for several names of several types, but clients send one host name and servers take no more. */
function serverName(extension: Cursor): string | undefined {
  const list = extension.slice(extension.uint16());
  const type = list.uint8();
  const name = list.slice(list.uint16());
  if (type !== hostNameType || !list.finished || !extension.finished) return undefined;
  return hostName(name.text());
}

function protocolNames(extension: Cursor): readonly string[] | undefined {
  const list = extension.slice(extension.uint16());
  const names: string[] = [];
  while (list.hasMore) {
    const name = list.slice(list.uint8());
    if (!name.hasMore) return undefined;
    names.push(name.text());
  }
  return names.length > 0 && list.finished && extension.finished ? names : undefined;
}

const mismatch: ParseResult<ClientHello> = { state: 'mismatch' };
const majorVersion = 3;
const minorVersionAndRandom = 1 + 32;
const serverNameExtension = 0;
const alpnExtension = 16;
const hostNameType = 0;
