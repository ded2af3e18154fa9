/** Whether a request may be answered: no web page may ask, and where a token is wanted it must be there. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIPv4, isIPv6 } from 'node:net';
import type { AdminToken } from '../config/config.ts';

/**
 * Keeps web pages away. A page can make its visitor's browser send requests to any address, loopback
 * included, and through DNS rebinding even read the answers; but the browser then tells the truth in `Origin`
 * or in `Host`. So both must name an address that leads here anyway: loopback, or the one that was bound.
 * Names other than `localhost` are refused, for the owner of a name says where it leads.
 *
 * Returns what is wrong with where a request comes from, or undefined.
 */
export function crossOrigin({ headers, socket }: IncomingMessage): 'host' | 'origin' | undefined {
  const own = canonicalHost(socket.localAddress);
  // A unix socket has no address and no browser can reach it, so there any Host will do.
  if (own !== undefined && headers.host !== undefined && !leadsHere(hostOf(headers.host), own)) return 'host';
  if (headers.origin !== undefined && !leadsHere(originHost(headers.origin), own)) return 'origin';
  return undefined;
}

function leadsHere(host: string | undefined, own: string | undefined): boolean {
  if (host === undefined) return false;
  return (
    host === own || host === 'localhost' || host === '[::1]' || (isIPv4(host) && host.startsWith('127.'))
  );
}

/** The host of `host[:port]`, as a URL has it: in lower case, addresses in their canonical form. */
function hostOf(authority: string): string | undefined {
  return /^[\w.:[\]-]+$/.test(authority) && URL.canParse(`http://${authority}`)
    ? new URL(`http://${authority}`).hostname
    : undefined;
}

/** The host of an `Origin` header; `null`, which stands for pages that hide where they are from, has none. */
function originHost(origin: string): string | undefined {
  const [, authority] = /^https?:\/\/(.*)$/.exec(origin) ?? [];
  return authority === undefined ? undefined : hostOf(authority);
}

/** A socket's own address in the form of a URL's host: without a zone, IPv4 without its IPv6 prefix. */
function canonicalHost(localAddress: string | undefined): string | undefined {
  const address = localAddress?.replace(/%.*$/, '').replace(/^::ffff:(?=\d+\.)/, '');
  if (address === undefined) return undefined;
  return hostOf(isIPv6(address) ? `[${address}]` : address);
}

/** What may be done: look, or change things too. */

export type Permission = AdminToken['may'];

/** The secrets of which a request must bear one. Comparing takes the same time whatever is offered. */
export class Tokens {
  readonly #known: readonly (Omit<AdminToken, 'token'> & { readonly digest: Buffer })[];

  constructor(tokens: readonly AdminToken[]) {
    this.#known = tokens.map(({ name, token, may }) => ({
      name,
      may,
      digest: digest(Buffer.from(token, 'utf8')),
    }));
  }

  /** Without any, everybody may do everything. */
  get areRequired(): boolean {
    return this.#known.length > 0;
  }

  /** The one that an `Authorization` header bears (RFC 6750, 2.1; the scheme's case does not matter). */
  findBearer(authorization: string | undefined): Omit<AdminToken, 'token'> | undefined {
    const [, offered] = /^bearer +(.+)$/i.exec(authorization ?? '') ?? [];
    if (offered === undefined) return undefined;
    // Node reads a header's bytes as Latin-1, so this gives the bytes back as they came.
    const found = digest(Buffer.from(offered, 'latin1'));
    return this.#known.filter((one) => timingSafeEqual(found, one.digest))[0];
  }
}

/** A digest always has the same length, which timingSafeEqual requires. */
function digest(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
