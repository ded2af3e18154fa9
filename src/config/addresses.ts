/**
 * Addresses as people write them. To listen on: `127.0.0.1:8080`, `[::1]:8080`, `:8080` (every interface,
 * IPv6 and IPv4), `unix:/run/web.sock`. To connect to: the same with a port above 0, a name for a host, or
 * `srv:_pg._tcp.db.internal`. `localhost` is 127.0.0.1 and is not resolved.
 */
import { isIP, SocketAddress } from 'node:net';
import type { Address } from '../core/contract.ts';
import { type AddressSyntax, asYaml, meantAddress } from './address-guesses.ts';
import type { PrefixedTarget, Target } from './config.ts';
import { textOf } from './guesses.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

/** THE TABLE of names behind a prefix, each by an example: what finds their addresses is in `control/discovery/`. */
const prefixed: Readonly<Record<PrefixedTarget['kind'], string>> = {
  srv: 'srv:_pg._tcp.db.internal',
};
const prefixedKinds = Object.keys(prefixed) as PrefixedTarget['kind'][]; // Those of the table.

export const expectedBind =
  'an address such as "127.0.0.1:8080", ":8080" (every interface) or "unix:/run/web.sock"';
export const expectedTarget =
  'an address such as "10.0.0.1:9000", "db.internal:5432", "srv:_pg._tcp.db.internal" or "unix:/run/app.sock"';

/** An address to listen on. Port 0 takes a free one. */
export function parseBind(text: string): Parsed<Address> {
  if (text.startsWith('unix:')) return unixAddress(text.slice('unix:'.length));
  const portless = portBehind(text, text === 'localhost', 8080);
  if (portless !== undefined) return portless;
  const split = splitHostAndPort(text);
  if (split === undefined) return expected(expectedBind);

  const port = portNumber(split.port, 0);
  if (port === undefined) return expected(expectedPort(split.port, 0, expectedBind));
  if (split.host === '') return parsed({ host: '::', port });
  const host = ipAddress(split);
  return host === undefined
    ? expected('an IP address or "localhost" before the port')
    : parsed({ host, port });
}

/** The address of a backend, or a name. */
export function parseTarget(text: string): Parsed<Target> {
  if (text.startsWith('unix:')) {
    const unix = unixAddress(text.slice('unix:'.length));
    return unix.ok ? parsed({ kind: 'address', address: unix.value }) : unix;
  }
  const kind = prefixedKinds.find((one) => text.startsWith(`${one}:`));
  if (kind !== undefined) {
    const name = hostName(text.slice(kind.length + 1));
    return name === undefined ? expected(`a name such as "${prefixed[kind]}"`) : parsed({ kind, name });
  }
  const portless = portBehind(text, hostName(text) !== undefined, 9000);
  if (portless !== undefined) return portless;
  const split = splitHostAndPort(text);
  if (split === undefined || split.host === '') return expected(expectedTarget);

  const port = portNumber(split.port, 1);
  if (port === undefined) return expected(expectedPort(split.port, 1, expectedTarget));
  const host = ipAddress(split);
  if (host !== undefined) {
    const written = !split.bracketed && isIP(split.host) === 0 ? { hostName: split.host.toLowerCase() } : {};
    return parsed({ kind: 'address', address: { host, port }, ...written });
  }
  const name = split.bracketed ? undefined : hostName(split.host);
  return name === undefined
    ? expected('an IP address or a name before the port')
    : parsed({ kind: 'name', name, port });
}

/** A name server: an IP address with a port, or without, for port 53. Gives `address:port`. */
export function parseNameServer(text: string): Parsed<string> {
  const withPort = isIP(text) === 6 ? `[${text}]:53` : isIP(text) === 4 ? `${text}:53` : text;
  const target = parseTarget(withPort);
  return target.ok && target.value.kind === 'address' && 'host' in target.value.address
    ? parsed(formatAddress(target.value.address))
    : expected('the IP address of a name server such as "10.0.0.2:53"');
}

/** The canonical way to write an address; `parseBind` reads it back. */
export function formatAddress(address: Address): string {
  if ('path' in address) return `unix:${address.path}`;
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** The canonical way to write a target; `parseTarget` reads it back. */
export function formatTarget(target: Target): string {
  switch (target.kind) {
    case 'address':
      return formatAddress(target.address);
    case 'name':
      return `${target.name}:${target.port}`;
    default:
      return `${target.kind}:${target.name}`;
  }
}

/** What was probably meant by a value that `parseBind` refuses, as YAML. */
export function meantBind(found: unknown): string | undefined {
  const meant = meantAddress(textOf(found), bindSyntax);
  return meant && asYaml(meant);
}

/** The same of one that `parseTarget` refuses. */
export function meantTarget(found: unknown): string | undefined {
  const meant = meantAddress(textOf(found), targetSyntax);
  return meant && asYaml(meant);
}

/** The addresses alone that a text probably means, which `parseTarget` takes. */
export function meantTargets(text: string): readonly string[] {
  return meantAddress(text, targetSyntax)?.addresses ?? [];
}

const bindSyntax: AddressSyntax = {
  isAddress: (text) => parseBind(text).ok,
  host: '',
  tls: '"tls: { certificates: [{ cert: a.pem, key: a.key }] }" beside "bind"',
};

const targetSyntax: AddressSyntax = {
  isAddress: (text) => parseTarget(text).ok,
  host: '127.0.0.1',
  tls: '"connect: { tls: {} }" beside "backends"',
  check: '"healthCheck: { type: tcp }" beside "backends"',
};

/** What is expected of a text that has no port, where it is a host; undefined where it is none. */
function portBehind(text: string, isHost: boolean, port: number): Parsed<never> | undefined {
  if (isIP(text) === 6)
    return expected(`an IPv6 address in brackets and a port behind it, as in "[::1]:${port}"`);
  const isAddress = isIP(text) === 4 || /^\[[^\]]*\]$/.test(text);
  const what = 'a port behind the address';
  return isAddress || isHost ? expected(`${what}, as in "${text}:${port}"`, what) : undefined;
}

/** What is expected instead of a port: digits in the range, or another address where what is there has more words. */
function expectedPort(port: string, lowest: number, address: string): string {
  return /[\s/,;]/.test(port) ? address : `a port from ${lowest} to 65535`;
}

interface HostAndPort {
  readonly host: string;
  readonly port: string;
  readonly bracketed: boolean;
}

function splitHostAndPort(text: string): HostAndPort | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(text) ?? [];
  if (port === undefined || bracketed === '') return undefined;
  return { host: bracketed ?? plain ?? '', port, bracketed: bracketed !== undefined };
}

function portNumber(text: string, lowest: number): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,4})$/.test(text)) return undefined;
  const port = Number(text);
  return port >= lowest && port <= 65_535 ? port : undefined;
}

/** In canonical form, so that an address that is written in two ways is found to be one. IPv6 needs brackets. */
function ipAddress({ host, bracketed }: HostAndPort): string | undefined {
  if (!bracketed)
    return host.toLowerCase() === 'localhost' ? '127.0.0.1' : isIP(host) === 4 ? host : undefined;
  if (isIP(host) !== 6) return undefined;
  const [address = '', zone] = host.split('%');
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  return zone === undefined ? canonical : `${canonical}%${zone}`;
}

/**
 * RFC 1123 with underscores. A last label of digits is refused as a mistyped IPv4 address. A dot at the end stays: it
 * tells the resolver to add no search domain.
 */
function hostName(text: string): string | undefined {
  const written = text.toLowerCase();
  const name = written.replace(/\.$/, '');
  const labels = name.split('.');
  const wellFormed = labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label));
  return wellFormed && name.length <= 253 && !/^[0-9]+$/.test(labels.at(-1) ?? '') ? written : undefined;
}

/** The kernel keeps a socket's path in 108 bytes, the last of which is NUL: see unix(7). */
function unixAddress(written: string): Parsed<Address> {
  // A URL has two slashes more: `unix:///run/web.sock`.
  const path = written.replace(/^\/+/, '/');
  if (!path.startsWith('/') || path.includes('\0'))
    return expected('an absolute path as in "unix:/run/web.sock"');
  if (Buffer.byteLength(path) > 107) return expected('a socket path of at most 107 bytes');
  return parsed({ path });
}
