/** The backends of a pool. */
import { expectedTarget, formatTarget, meantTarget, parseTarget } from '../addresses.ts';
import type { BackendConfig } from '../config.ts';
import type { Location } from '../location.ts';
import { warnOfNoSocket } from '../unix-paths.ts';
import { expects, guesses } from './json-schema.ts';
import { defaultsOf, type Input, mapping, meantList, type Reader } from './option.ts';
import { connectionLimit, flag, integer, parsedText } from './terms.ts';

const address = parsedText(expectedTarget, parseTarget, {
  description:
    'host:port, where host is an IP address or a name (each address of a name is a backend of its own); srv:name for SRV records; or unix:/path. Quote an IPv6 address: "[::1]:9000".',
  examples: ['10.0.0.1:9000', 'db.internal:5432', 'srv:_pg._tcp.db.internal', 'unix:/run/app.sock'],
  [guesses]: meantTarget,
});

const options = {
  weight: integer(0, 1_000_000, {
    description: 'Its share beside the others; 0 drains it: no new sessions.',
    default: 1,
  }),
  backup: flag({ description: 'Takes sessions only while no other backend can.', default: false }),
  maxConnections: connectionLimit('Connections to this backend that may be open at once.'),
};

const backendMapping = mapping(
  'A backend with more than an address.',
  { address, ...options },
  ({ address: target, ...rest }): BackendConfig | undefined => target && { target, ...rest },
);

type BackendInput = string | Input<typeof backendMapping>;

export const defaultBackend = defaultsOf(options);

const backend: Reader<BackendInput, BackendConfig | undefined> = {
  schema: {
    anyOf: [address.schema, backendMapping.schema],
    [expects]: `${expectedTarget}, or a mapping with an "address"`,
    [guesses]: meantTarget,
  },
  read: (input, location) => {
    if (typeof input !== 'string') return backendMapping.read(input, location);
    const target = address.read(input, location);
    return target && { target, ...defaultBackend };
  },
};

/** A backend, and where its address is written. */
export interface LocatedBackend {
  readonly backend: BackendConfig;
  readonly location: Location;
}

export const backends: Reader<readonly BackendInput[], readonly LocatedBackend[]> = {
  schema: {
    type: 'array',
    items: backend.schema,
    minItems: 1,
    description: 'Who serves: addresses, or mappings with an address, weight, backup and maxConnections.',
    examples: [['10.0.0.1:9000', { address: '10.0.0.2:9000', weight: 2 }]],
    [expects]: 'a list of at least one backend, such as ["10.0.0.1:9000"]',
    [guesses]: (found: unknown) => meantList(found, backend.schema),
  },
  read: (input, location) => {
    const first = new Map<string, Location>();
    const read = input.flatMap((entry, index) => {
      const place = location.at(index);
      const one = backend.read(entry, place);
      if (one === undefined) return [];
      const written = typeof entry === 'string' ? place : place.at('address');
      const { target } = one;
      if (target.kind === 'address' && 'path' in target.address) warnOfNoSocket(target.address, written);
      const name = formatTarget(target);
      const earlier = first.get(name);
      if (earlier === undefined) first.set(name, place);
      else written.expected(`each backend once (it is at line ${earlier.line} too)`);
      return [{ backend: one, location: written }];
    });
    const allKnown = read.length === input.length;
    if (allKnown && read.every(({ backend }) => backend.weight === 0)) {
      location.problem('Expected a backend with a weight above 0, found none', 'key');
    }
    return read;
  },
};
