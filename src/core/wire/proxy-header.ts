/**
 * What a PROXY protocol header tells: who the client of a connection is, where another proxy stands between.
 * Version 1 is a line of text, version 2 is binary; both are read by `proxy-reading.ts` and written by
 * `proxy-writing.ts`. All three follow HAProxy's proxy-protocol.txt.
 */
import type { ParseResult } from './parse-result.ts';

export type ProxyHeader =
  | ({ readonly source: 'proxied' } & ProxiedEnds & ProxyTlvs)
  /** Nothing is announced (LOCAL, UNKNOWN, UNSPEC): the socket's own addresses are the connection's. */
  | { readonly source: 'own' };

/** The connection as the first proxy saw it. */
export interface ProxiedEnds {
  readonly client: ProxiedEnd;
  /** What the client connected to. */
  readonly destination: ProxiedEnd;
}

/** An IP address and a port, or `unix` and 0, with the path of a unix socket that has one. */
export interface ProxiedEnd {
  readonly address: string;
  readonly port: number;
  readonly path?: string;
}

/** What version 2 can carry beside the addresses. Texts are UTF-8 on the wire. */
export interface ProxyTlvs {
  /** The name that the client asked for: of a TLS connection its SNI. */
  readonly authority?: string;
  /** The protocol that the client's connection agreed on. */
  readonly alpn?: string;
  /** At most 128 bytes that name the connection wherever it goes. */
  readonly uniqueId?: Uint8Array;
}

/**
 * `mismatch`: the bytes begin as no header does, they are payload. `broken`: they begin as a header, and
 * cannot be one any more. `length` is how many bytes the header took; what follows is payload.
 */
export type ProxyParseResult =
  | ParseResult<{ readonly header: ProxyHeader; readonly length: number }>
  | { readonly state: 'broken' };
