/** Host names in the conditions of routes. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { addressWords, ipv6Text } from '../core/addresses.ts';
import { expected, type Parsed, parsed } from './parsed.ts';

export const expectedHostPattern = 'a host name such as "www.example.com" or "*.example.com"';

/**
 * A name, or `*.` and a name for all that lie below it, in the form in which clients send it: lower case, IDNA
 * A-labels (`bücher.example` is `xn--bcher-kva.example`), no dot at the end. An IP
 * address stands for itself, as HTTP clients name it: IPv6 in brackets.
 */
export function parseHostPattern(text: string): Parsed<string> {
  const address = text.replace(/^\[(.*)\]$/, '$1');
  const words = isIP(address) === 6 && !address.includes('%') ? addressWords(address) : undefined;
  if (words !== undefined) return parsed(`[${ipv6Text(words)}]`);
  if (isIP(address) === 4) return parsed(address);
  const isWildcard = text.startsWith('*.');
  const name = domainToASCII((isWildcard ? text.slice(2) : text).replace(/\.$/, ''));
  // A name of digits and dots is probably a mistyped address.
  if (!syntax.test(name) || isIP(name) !== 0 || name.length > 253) return expected(expectedHostPattern);
  return parsed(isWildcard ? `*.${name}` : name);
}

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const syntax = new RegExp(`^${label}(?:\\.${label})*$`);
