/** Routes: what they ask for, and the pools that they lead to. */
import { compileAddressSet } from '../core/access/address-set.ts';
import type { RouteCondition } from '../core/plan.ts';
import type { RouteConfig } from './config.ts';
import type { ConfigDocument } from './document.ts';
import { parseHostPattern } from './host-patterns.ts';
import type { Path } from './issues.ts';
import { parseNetwork } from './networks.ts';
import type { Parsed } from './parsed.ts';
import type { RouteInput } from './schema/schema.ts';
import { parsedAt } from './values.ts';

/** `checkPool` tells of a name that is no pool's. */
export function readRoutes(
  document: ConfigDocument,
  path: Path,
  input: readonly RouteInput[],
  checkPool: (path: Path, name: string) => void,
): readonly RouteConfig[] {
  warnOfUnreachable(document, path, input);
  return input.map((route, index) => {
    const place = [...path, index];
    return {
      when: readConditions(document, [...place, 'when'], route.when ?? {}),
      to: readTarget(document, place, route, checkPool),
    };
  });
}

function readConditions(
  document: ConfigDocument,
  path: Path,
  { sni, alpn, protocol, httpHost, client }: NonNullable<RouteInput['when']>,
): RouteCondition {
  const names = (key: string, input: string | readonly string[] | undefined) =>
    input === undefined ? undefined : readEach(document, [...path, key], input, parseHostPattern);
  const networks =
    client === undefined ? undefined : readEach(document, [...path, 'client'], client, parseNetwork);
  return {
    sni: names('sni', sni),
    alpn: alpn === undefined ? undefined : listOf(alpn),
    protocol: protocol === undefined ? undefined : listOf(protocol),
    httpHost: names('httpHost', httpHost),
    client: networks && compileAddressSet(networks),
  };
}

function readTarget(
  document: ConfigDocument,
  path: Path,
  { pool, split }: RouteInput,
  checkPool: (path: Path, name: string) => void,
): RouteConfig['to'] {
  if ((pool === undefined) === (split === undefined)) {
    const found = pool === undefined ? 'neither' : 'both';
    document.problem(path, `Expected either "pool" or "split", found ${found}`, 'key');
  }
  if (pool !== undefined) checkPool([...path, 'pool'], pool);
  const shares = Object.entries(split ?? {}).map(([name, weight]) => ({ pool: name, weight }));
  for (const share of shares) checkPool([...path, 'split', share.pool], share.pool);
  if (split !== undefined && shares.every(({ weight }) => weight === 0)) {
    document.problem([...path, 'split'], 'Expected a pool with a weight above 0, found none', 'key');
  }
  return pool === undefined ? shares.filter(({ weight }) => weight > 0) : [{ pool, weight: 1 }];
}

/** Behind a route that everything matches, no other is ever asked. */
function warnOfUnreachable(document: ConfigDocument, path: Path, input: readonly RouteInput[]): void {
  const last = input.findIndex(({ when }) => Object.keys(when ?? {}).length === 0);
  if (last < 0 || last === input.length - 1) return;
  document.warn([...path, last + 1], 'Is never asked, because everything matches the route before it');
}

function listOf<T>(input: T | T[]): readonly T[] {
  return Array.isArray(input) ? input : [input];
}

function readEach<T>(
  document: ConfigDocument,
  path: Path,
  input: string | readonly string[],
  parse: (text: string) => Parsed<T>,
): readonly T[] {
  const texts = typeof input === 'string' ? [input] : input;
  return texts.flatMap((text, index) => {
    const place = typeof input === 'string' ? path : [...path, index];
    const value = parsedAt(document, place, parse(text), undefined);
    return value === undefined ? [] : [value];
  });
}
