/** Routes: what they ask for, and the pools that they lead to. */
import { compileAddressSet } from '../../core/access/address-set.ts';
import type { RouteCondition } from '../../core/plan.ts';
import { protocols } from '../../core/wire/protocol.ts';
import { parseTarget } from '../addresses.ts';
import type { RouteConfig } from '../config.ts';
import { quoted, textOf } from '../guesses.ts';
import { expectedHostPattern, meantHostPattern, parseHostPattern } from '../host-patterns.ts';
import type { Location } from '../location.ts';
import { nearest } from '../nearest.ts';
import { expectedNetwork } from '../networks.ts';
import { expects, guesses, type JsonSchema } from './json-schema.ts';
import {
  type Input,
  list,
  mapping,
  named,
  type Option,
  oneOrList,
  optional,
  type Reader,
  withDefault,
} from './option.ts';
import { integer, network, oneOf, parsedText, text } from './terms.ts';

const hostName = parsedText(expectedHostPattern, parseHostPattern, {
  description: 'A host name, or *. and a name for all below it.',
  examples: ['www.example.com', '*.example.com'],
  [guesses]: meantHostPattern,
});

const conditions = mapping(
  'What must hold, all of it; of a list, any. Without this key everything matches.',
  {
    sni: some(hostName, {
      description: 'The server name of a TLS hello.',
      examples: [['api.example.com', '*.api.example.com']],
      [expects]: `${expectedHostPattern}, or a list of them`,
    }),
    alpn: some(
      text('a protocol name such as "h2"', { maxLength: 255, description: 'An ALPN protocol name.' }),
      {
        description: 'What a TLS client offers to speak; behind TLS that ends here, what both agreed on.',
        examples: [['h2'], ['h2', 'http/1.1']],
        [expects]: 'a protocol name such as "h2", or a list of them',
      },
    ),
    protocol: some(oneOf(protocols, { description: 'A protocol whose clients speak first.' }), {
      description: 'What the first bytes are; mysql and others whose servers speak first can’t be told.',
      examples: ['ssh', ['http', 'tls']],
      [expects]: `one of ${protocols.map((word) => JSON.stringify(word)).join(', ')}, or a list of them`,
    }),
    httpHost: some(hostName, {
      description: 'The host of an HTTP/1 request, without its port.',
      examples: [['www.example.com']],
      [expects]: `${expectedHostPattern}, or a list of them`,
    }),
    client: some(network, {
      description: 'Where the client comes from.',
      examples: [['10.0.0.0/8']],
      [expects]: `${expectedNetwork}, or a list of them`,
    }),
  },
  ({ client, ...rest }): RouteCondition => ({ ...rest, client: client && compileAddressSet(client) }),
  { guess: meantCondition },
);

/** A rule of Traefik with one name. */
function meantCondition(found: unknown): string | undefined {
  const [, kind, name] = /^(Host|HostSNI)\(`([\w.*-]+)`\)$/.exec(textOf(found)) ?? [];
  return name === undefined ? undefined : `{ ${kind === 'Host' ? 'httpHost' : 'sni'}: ${quoted(name)} }`;
}

const everything: RouteCondition = {
  sni: undefined,
  alpn: undefined,
  protocol: undefined,
  httpHost: undefined,
  client: undefined,
};

const route = mapping(
  'Clients of a kind, and where they go.',
  {
    when: withDefault(conditions, everything),
    pool: optional(poolName({ description: 'The pool that matching clients go to.', examples: ['api'] })),
    split: optional(
      named(
        'pool',
        integer(0, 1_000_000, { description: 'Its share beside the others.' }),
        'Pools with weights, instead of one pool: a canary.',
      ),
    ),
  },
  ({ when, pool, split }, location): RouteConfig => {
    const [hasPool, hasSplit] = [location.at('pool').isWritten, location.at('split').isWritten];
    if (hasPool === hasSplit) {
      const found = hasPool ? 'both' : 'neither';
      location.problem(`Expected either "pool" or "split", found ${found}`, 'key');
    }
    for (const [name] of split ?? []) checkPool(name, location.at('split', name));
    const allKnown = split?.length === location.document.placeOf([...location.path, 'split'])?.children.size;
    if (allKnown && split?.every(([, weight]) => weight === 0)) {
      location.at('split').problem('Expected a pool with a weight above 0, found none', 'key');
    }
    const shares = pool === undefined ? (split ?? []) : [[pool, 1] as const];
    const to = shares.filter(([, weight]) => weight > 0).map(([name, weight]) => ({ pool: name, weight }));
    return { when, to };
  },
  { example: '{ when: { sni: www.example.com }, pool: app }' },
);

const routeList = list(route, {
  description:
    'The first that matches wins. First bytes are waited for only where a route that may match asks for them.',
  [expects]: 'a list of routes such as [{ when: { protocol: ssh }, pool: bastion }]',
});

type RoutesInput = Input<typeof routeList>;

export const routes: Option<RoutesInput, readonly RouteConfig[]> = {
  schema: routeList.schema,
  default: [],
  read: (input, location) => {
    warnOfUnreachable(input, location);
    return routeList.read(input, location);
  },
};

/** Warns of routes behind one without conditions, which matches everything. */
function warnOfUnreachable(input: RoutesInput, location: Location): void {
  const last = input.findIndex((one) => one !== undefined && Object.keys(one.when ?? {}).length === 0);
  if (last < 0 || last === input.length - 1) return;
  location.at(last + 1).warn('Is never asked, because everything matches the route before it');
}

/** The name of a pool of the same file. */
export function poolName(term: {
  readonly description: string;
  readonly examples: readonly string[];
}): Reader<string, string> {
  return {
    ...text('the name of a pool', term),
    read: (name, location) => {
      checkPool(name, location);
      return name;
    },
  };
}

function checkPool(name: string, location: Location): void {
  const known = location.document.placeOf(['pools'])?.children;
  if (known?.has(name)) return;
  const pools = [...(known?.keys() ?? [])].map(String);
  const some = pools.slice(0, 10).join(', ');
  const names = pools.length > 10 ? `${some}, …` : some;
  const near = nearest(name, pools);
  const guess = near === undefined ? poolOf(name) : quoted(near);
  location.expected(`the name of a pool${names === '' ? '' : ` (${names})`}`, guess);
}

/** One, or a list of them. */
function some<V>(item: Reader<string, V>, options: JsonSchema) {
  const items = list(item, { minItems: 1, [expects]: 'a list of at least one' });
  return optional(oneOrList({ anyOf: [item.schema, items.schema], ...options }, item, items));
}

/** An address needs a pool that has it. */
function poolOf(text: string): string | undefined {
  const isAddress = text.includes(':') && parseTarget(text).ok;
  return isAddress ? `"app", and "pools: { app: { backends: [${quoted(text)}] } }"` : undefined;
}
