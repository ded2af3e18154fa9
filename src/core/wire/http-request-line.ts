import { authorityHost } from './authority.ts';

export interface RequestLine {
  /** The host that the target names; a Host field beside it must name the same (RFC 9112, 3.2). */
  readonly host: string | undefined;
}

/**
 * Reads `method target HTTP/1.x` (RFC 9112, 3); undefined for what a server must refuse. Letters beyond ASCII have
 * no place in a target, but clients do send them.
 */
export function requestLine(line: string): RequestLine | undefined {
  const parts = /^([\w!#$%&'*+.^`|~-]+) ([!-~\x80-\xff]+) HTTP\/1\.\d$/.exec(line);
  if (parts === null) return undefined;
  const [, method = '', target = ''] = parts;
  const namesNoHost = method !== 'CONNECT' && (target.startsWith('/') || target === '*');
  if (namesNoHost) return { host: undefined };
  const authority = method === 'CONNECT' ? target : /^https?:\/\/([^/?#]*)/i.exec(target)?.[1];
  const host = authorityHost(authority ?? '');
  return host === undefined ? undefined : { host };
}
