import type { Build } from '../../telemetry/families/family.ts';
import type { BackendSnapshot, ListenerSnapshot, PoolSnapshot, Snapshot } from '../../telemetry/snapshot.ts';
import { json } from '../http.ts';
import type { Route } from './route.ts';

/** Every listener, pool and backend as it is now. */
export const status: Route = {
  path: '/api/v1/status',
  method: 'GET',
  may: 'read',
  reply: ({ source }) => {
    const { build, pendingRestart } = source;
    return json(200, { ...statusOf(source.snapshot(), build), pendingRestart });
  },
};

export function statusOf({ phase, listeners, pools }: Snapshot, build: Build) {
  return {
    version: build.version,
    driver: build.driver,
    driverReason: build.driverReason,
    draining: phase === 'draining',
    listeners: Object.fromEntries(listeners.map((one) => [one.name, listenerStatus(one)])),
    pools: Object.fromEntries(pools.map((one) => [one.name, poolStatus(one)])),
  };
}

function listenerStatus({ bound, driver, active, accepted }: ListenerSnapshot) {
  const [only, ...others] = bound;
  const bind = others.length === 0 && only !== undefined ? only : bound;
  return { bind, driver, active, total: accepted };
}

export function poolStatus({ balance, queued, backends }: PoolSnapshot) {
  return { balance, queue: queued, backends: backends.map(backendStatus) };
}

export function backendStatus(backend: BackendSnapshot) {
  const { name, weight, backup, health, circuit, active, totals, unavailable } = backend;
  return {
    address: name,
    weight,
    backup,
    health,
    circuit,
    active,
    total: totals.connections,
    unavailable: unavailable ?? null,
  };
}
