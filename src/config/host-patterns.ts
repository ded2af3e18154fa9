/** Host names in the conditions of routes. */
import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { addressWords, ipv6Text } from '../core/addresses.ts';
import { type Guess, quoted, textOf } from './guesses.ts';
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

/**
 * What was probably meant by a text that is no host name: one with a scheme, port or path, one that begins with a dot,
 * or several in one text.
 */
export const meantHostPattern: Guess = (found) => {
  const words = textOf(found)
    .replaceAll(/^HostSNI\(|[`()\u201c\u201d]/g, '')
    .split(/[\s,;|]+/)
    .filter((word) => word !== '')
    .slice(0, mostMeant);
  if (words.length === 1 && words[0] === '*') return 'to leave the key out, so that every client fits';
  const meant = words.map((word) =>
    word
      .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
      .replace(/[/?#].*$/, '')
      .replace(/:(?:[0-9]+|\*)?$/, '')
      .replace(/^\./, '*.'),
  );
  const areNames = meant.length > 0 && meant.every((name) => parseHostPattern(name).ok);
  return areNames ? meant.map(quoted).join(', ') : undefined;
};

const mostMeant = 10;
