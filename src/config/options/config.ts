/**
 * The configuration file as a whole: the table of its sections. The JSON Schema, which editors complete from, is made
 * from it. The schema checks each value by itself; `build` and `check` of a mapping check several together.
 *
 * In string values `${NAME}` and `${NAME:-default}` stand for environment variables. A value that is only
 * that, such as `burst: ${BURST}`, is a string where its key takes strings, and else is read as YAML would.
 * Inside `{ }` and `[ ]` YAML wants quotes around it.
 */
import { checkBindClashes } from '../bind-clashes.ts';
import type { Config } from '../config.ts';
import type { Location } from '../location.ts';
import { checkLoops } from '../loops.ts';
import { Secrets } from '../secrets.ts';
import { admin } from './admin.ts';
import { expects } from './json-schema.ts';
import { type ListenerSection, listener } from './listener.ts';
import { log } from './log.ts';
import { memory } from './memory.ts';
import { type Inputs, named, type Option, objectSchema, type Reader, readTable } from './option.ts';
import { type PoolSection, pool } from './pool.ts';
import { resolver } from './resolver.ts';
import { shutdown } from './shutdown.ts';
import { integer, oneOf } from './terms.ts';

const version: Reader<1, 1> = {
  schema: { enum: [1], description: 'The version of this format.', [expects]: '1' },
  read: (input) => input,
};

const workers: Option<number | 'auto', number | 'auto'> = {
  schema: {
    anyOf: [integer(1, 256, { description: 'So many threads.' }).schema, { enum: ['auto'] }],
    description: 'Threads that move data; auto is one per CPU.',
    default: 'auto',
    [expects]: 'an integer from 1 to 256 or "auto"',
  },
  default: 'auto',
  read: (input) => input,
};

const options = {
  version,
  workers,
  driver: oneOf(['auto', 'uring', 'portable'], {
    description:
      'What moves the bytes: io_uring on Linux, or node:net everywhere; auto is the first that runs here.',
    default: 'auto',
  }),
  memory,
  listeners: named('listener', listener, 'Where connections come in, by name.'),
  pools: named('pool', pool, 'Where connections go, by name.'),
  admin,
  log,
  shutdown,
  resolver,
};

export const configSchema = objectSchema(options, {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'sluice configuration',
  description: 'A load-balancing TCP reverse proxy.',
  patternProperties: {
    '^x-': { description: 'Left alone: a place for anchors, which others refer to or merge (<<).' },
  },
  additionalProperties: false,
  [expects]: 'a mapping with version, listeners and pools',
});

export const secrets = new Secrets(configSchema);

export type ConfigInput = Inputs<typeof options>;

export function readConfig(input: ConfigInput, location: Location): Config {
  const { version, listeners, pools, admin, ...rest } = readTable(options, input, location);
  const binds = listeners.flatMap(([, { bind }]) => bind);
  checkBindClashes(admin === 'off' ? binds : [...binds, admin.bind]);
  warnOfUnusedPools(input, location);
  checkListenerLoops(listeners, new Map(pools));
  return {
    ...rest,
    listeners: listeners.map(([name, listener]) => ({
      ...listener,
      name,
      bind: listener.bind.map(({ address }) => address),
    })),
    pools: pools.map(([name, pool]) => ({
      ...pool,
      name,
      backends: pool.backends.map(({ backend }) => backend),
    })),
    admin: admin === 'off' ? 'off' : { ...admin, bind: admin.bind.address },
  };
}

function checkListenerLoops(
  listeners: readonly (readonly [name: string, listener: ListenerSection])[],
  pools: ReadonlyMap<string, PoolSection>,
): void {
  checkLoops(
    listeners.map(([name, { bind, pool, routes }]) => {
      const reachable = new Set([pool, ...routes.flatMap(({ to }) => to.map((share) => share.pool))]);
      const backends = [...reachable].flatMap((one) => pools.get(one ?? '')?.backends ?? []);
      return {
        name,
        binds: bind,
        backends: backends.map(({ backend: { target }, location }) => ({ target, location })),
      };
    }),
  );
}

/** A pool that no listener names is allowed, but probably a mistake. */
function warnOfUnusedPools({ listeners, pools }: ConfigInput, location: Location): void {
  const used = new Set(
    Object.values(listeners).flatMap(({ pool, routes = [] }) => [
      pool,
      ...routes.flatMap((route) => [route.pool, ...Object.keys(route.split ?? {})]),
    ]),
  );
  for (const name of Object.keys(pools)) {
    if (!used.has(name)) location.at('pools', name).warn('No listener uses this pool');
  }
}
