import { limitOf } from '../../core/explain/explanation.ts';
import { dialFailures, servedReasons } from '../../core/reasons.ts';
import { type DescriptorUse, descriptorUse } from '../../drivers/descriptors.ts';
import type { Observations, ObservedBackend } from '../../telemetry/observations.ts';
import type {
  BackendSnapshot,
  HoldSnapshot,
  ListenerSnapshot,
  PoolSnapshot,
  Snapshot,
} from '../../telemetry/snapshot.ts';
import { json } from '../http.ts';
import type { AdminSource, Route } from './route.ts';

type StatusSource = Pick<AdminSource, 'build' | 'origin' | 'observations' | 'pendingRestart'>;

/** The process, and every listener, pool and backend as it is now. */
export const status: Route = {
  path: '/api/v1/status',
  method: 'GET',
  may: 'read',
  whileStarting: true,
  reply: (deps) => json(200, statusOf(deps, deps.view.snapshot())),
};

export function statusOf({ build, observations, ...source }: StatusSource, snapshot: Snapshot) {
  const { phase, phaseSinceMs, workers, buffers, certificates, listeners, pools } = snapshot;
  return {
    version: build.version,
    node: build.node,
    driver: build.driver,
    driverReason: build.driverReason,
    pid: process.pid,
    started: timeText(observations.startedMs),
    uptimeSeconds: Math.round((Date.now() - observations.startedMs) / 1_000),
    phase,
    phaseSince: timeText(phaseSinceMs),
    draining: phase === 'draining',
    configuration: {
      file: source.origin()?.file ?? null,
      hash: source.origin()?.hash ?? null,
      loaded: timeText(observations.lastReloadMs),
      lastReloadFailed: observations.lastReloadFailed,
    },
    pendingRestart: source.pendingRestart(),
    workers: countsOf(workers.map(({ driver }) => driver)),
    workerRestarts: observations.workerRestarts,
    descriptors: descriptorStatus(descriptorUse()),
    buffers,
    certificates: certificates.map(({ of, name, notAfterMs }) => ({
      ...of,
      name,
      expires: timeText(notAfterMs),
    })),
    listeners: Object.fromEntries(listeners.map((one) => [one.name, listenerStatus(one)])),
    pools: Object.fromEntries(pools.map((one) => [one.name, poolStatus(one, observations)])),
  };
}

export function listenerStatus(listener: ListenerSnapshot) {
  const { bound, accept, driver, active, limit, accepted, closed, bytesToBackend, bytesToClient } = listener;
  const [only, ...others] = bound;
  return {
    bind: others.length === 0 && only !== undefined ? only : bound,
    accept,
    driver,
    active,
    limit: limitOf(limit),
    total: accepted,
    closed: Object.fromEntries([...closed].filter(([, count]) => count > 0)),
    bytesToBackend,
    bytesToClient,
  };
}

export function poolStatus(pool: PoolSnapshot, observations: Observations) {
  const { name, balance, active, limit, queued, queueLimit, longestWaitMs, hold, backends } = pool;
  return {
    balance,
    active,
    limit: limitOf(limit),
    queue: queued,
    queueLimit,
    longestWaitMs: Math.round(longestWaitMs),
    hold: hold === undefined ? null : holdStatus(hold),
    names: observations.names.of(name).map((one) => ({
      name: one.name,
      resolved: timeText(one.lastSuccessMs),
      problem: one.problem ?? null,
    })),
    backends: backends.map((backend) => backendStatus(backend, observations.backend(name, backend.name))),
  };
}

function holdStatus({ phase, sinceMs, untilMs, ratePerSecond, ...hold }: HoldSnapshot) {
  const { then, sessions, timeoutMs, by, reason } = hold;
  return {
    phase,
    since: timeText(sinceMs),
    until: timeText(untilMs),
    then,
    sessions,
    timeoutMs,
    rate: limitOf(ratePerSecond),
    by,
    reason: reason ?? null,
  };
}

export function backendStatus(
  backend: BackendSnapshot,
  { lastCheck, lastAgent, lastError, lastDialError }: Readonly<ObservedBackend>,
) {
  const { certificate, circuit, health, unavailable } = backend;
  return {
    address: backend.name,
    name: backend.hostName ?? null,
    state: backend.state,
    stateSince: timeText(backend.stateSinceMs),
    layers: backend.layers ?? null,
    weight: backend.weight,
    effectiveWeight: backend.effectiveWeight,
    backup: backend.backup,
    health,
    healthSince: timeText(backend.healthSinceMs),
    lastCheck: lastCheck === undefined ? null : checkStatus(lastCheck),
    agent: lastAgent === undefined ? null : agentStatus(lastAgent),
    circuit,
    circuitSince: timeText(backend.circuitSinceMs),
    nextTrial: timeText(backend.nextTrialMs),
    lastError: errorStatus(lastError),
    lastDialError: errorStatus(lastDialError),
    active: backend.active,
    limit: limitOf(backend.limit),
    total: backend.totals.connections,
    meanFirstByteMs: meanFirstByteMs(backend.totals),
    closed: Object.fromEntries(
      servedReasons.flatMap((reason) => {
        const count = backend.totals.closed(reason);
        return count > 0 ? [[reason, count]] : [];
      }),
    ),
    dialFailures: dialFailures.reduce((sum, why) => sum + backend.totals.dialFailures(why), 0),
    bytesToBackend: backend.totals.bytesToBackend,
    bytesToClient: backend.totals.bytesToClient,
    unavailable: unavailable ?? null,
    certificate:
      certificate === undefined
        ? null
        : { name: certificate.name, expires: timeText(certificate.notAfterMs) },
  };
}

/** The mean over all connections since the start; null before the first. */
function meanFirstByteMs({ firstBytes, firstByteMs }: BackendSnapshot['totals']): number | null {
  return firstBytes === 0 ? null : roundedMs(firstByteMs / firstBytes);
}

function checkStatus({ atMs, tookMs, pass, detail }: NonNullable<ObservedBackend['lastCheck']>) {
  return { at: timeText(atMs), tookMs: roundedMs(tookMs), pass, detail };
}

/** Rounds to the microsecond. */
function roundedMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}

function errorStatus(error: ObservedBackend['lastError']) {
  return error === undefined ? null : { at: timeText(error.atMs), error: error.error };
}

function agentStatus({ atMs, answer, problem }: NonNullable<ObservedBackend['lastAgent']>) {
  return { at: timeText(atMs), answer: answer ?? null, problem: problem ?? null };
}

function descriptorStatus(use: DescriptorUse | undefined) {
  return use === undefined ? null : { open: use.open, limit: limitOf(use.limit) };
}

/** ISO 8601, in UTC. */
function timeText(ms: number): string;
function timeText(ms: number | undefined): string | null;
function timeText(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

function countsOf(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1;
  return counts;
}
