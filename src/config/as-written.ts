/**
 * A checked configuration in the words of the file, with every default filled in: for people. Lists of networks are
 * counted, texts of PEM files left out, and secrets hidden.
 */
import { formatAddress, formatTarget } from './addresses.ts';
import type { Config, HealthCheckConfig, ListenerConfig, PoolConfig, RouteConfig } from './config.ts';
import { formatDuration } from './durations.ts';
import { secrets } from './options/config.ts';

/** Plain JSON. */
export function asWritten({ listeners, pools, admin, memory, ...others }: Config): unknown {
  return written({
    ...others,
    memory: { buffers: memory.bufferBytes },
    admin: admin === 'off' ? admin : { ...admin, bind: formatAddress(admin.bind) },
    listeners: Object.fromEntries(listeners.map((one) => [one.name, listener(one)])),
    pools: Object.fromEntries(pools.map((one) => [one.name, pool(one)])),
  });
}

function listener({ name: _, bind, routes, policy: { access, ...policy }, ...others }: ListenerConfig) {
  return { bind: bind.map(formatAddress), ...others, routes: routes.map(route), ...access, ...policy };
}

function route({ when, to }: RouteConfig) {
  const [only, ...more] = to;
  return more.length === 0
    ? { when, pool: only?.pool }
    : { when, split: Object.fromEntries(to.map(({ pool, weight }) => [pool, weight])) };
}

function pool({ name: _, policy, backends, healthCheck, ...others }: PoolConfig) {
  return {
    ...others,
    ...policy,
    healthCheck: healthCheck === undefined ? 'off' : check(healthCheck),
    backends: backends.map(({ target, ...one }) => ({ address: formatTarget(target), ...one })),
  };
}

function check({ probe, connection, connectionElsewhere: _, ...others }: HealthCheckConfig) {
  const { type } = probe;
  const asked =
    'http' in probe
      ? { ...probe.http, expectStatus: probe.http.expectStatus.map(({ from, to }) => `${from}-${to}`) }
      : { ...probe };
  return { type, ...asked, ...others, ...connection };
}

/** Keys lose their units, and values get them. */
function written(value: unknown): unknown {
  if (value === Number.POSITIVE_INFINITY) return 'unlimited';
  if (typeof value === 'string') return value.startsWith('-----BEGIN ') ? '(PEM)' : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(written);
  if ('ranges' in value) return value.ranges === 1 ? '1 network' : `${value.ranges} networks`;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .map(([key, one]) => (secrets.keys.has(key) ? [key, '(hidden)'] : entry(key, one))),
  );
}

function entry(key: string, value: unknown): [key: string, value: unknown] {
  if (typeof value === 'number' && key.endsWith('Ms')) return [key.slice(0, -2), formatDuration(value)];
  if (typeof value === 'number' && key.endsWith('Percent')) return [key.slice(0, -7), `${value}%`];
  return [key, written(value)];
}
