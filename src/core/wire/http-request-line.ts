import { authorityHost } from './authority.ts';

export interface RequestLine {
  /** The host that the target names, which counts for more than a Host field (RFC 9112, 3.2.2). */
  readonly host: string | undefined;
  /** HTTP/1.1 must bring a Host field, HTTP/1.0 need not (RFC 9112, 3.2). */
  readonly mustBringHost: boolean;
}

/**
 * Reads `method target HTTP/1.x` (RFC 9112, 3); undefined for what a server must refuse. Letters beyond ASCII have
 * no place in a target, but clients do send them.
 */
export function requestLine(line: string): RequestLine | undefined {
  const parts = /^([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP\/1\.(\d)$/.exec(line);
  if (parts === null) return undefined;
  const [, method = '', target = '', minor] = parts;
  const mustBringHost = minor !== '0';
  const namesNoHost = method !== 'CONNECT' && (target.startsWith('/') || target === '*');
  if (namesNoHost) return { host: undefined, mustBringHost };
  const authority = method === 'CONNECT' ? target : /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  const host = authorityHost(authority ?? '');
  return host === undefined ? undefined : { host, mustBringHost };
}
