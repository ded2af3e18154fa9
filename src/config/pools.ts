/** Pools: their backends, and how they are dialed, judged and limited. */
import type { PoolPolicy } from '../core/plan.ts';
import { formatTarget, parseTarget } from './addresses.ts';
import type { BackendConfig, PoolConfig } from './config.ts';
import { defaultBackend, defaultCircuitBreaker, defaultPoolPolicy } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import { readHealthCheck } from './health-checks.ts';
import type { Path } from './issues.ts';
import type { ReadFile } from './named-files.ts';
import { readSentProxyProtocol } from './proxy-protocol.ts';
import type { ConfigInput, PoolInput } from './schema/schema.ts';
import { readBackendTls } from './tls.ts';
import { checkOrder, durationReader, limit, parsedAt, percentage } from './values.ts';

export function readPools(
  document: ConfigDocument,
  input: ConfigInput,
  readFile: ReadFile,
): readonly PoolConfig[] {
  return Object.entries(input.pools).map(([name, pool]) => {
    const path = ['pools', name];
    const policy = readPolicy(document, path, pool, readFile);
    return {
      name,
      policy,
      backends: readBackends(document, [...path, 'backends'], pool.backends),
      healthCheck:
        pool.healthCheck &&
        readHealthCheck(document, [...path, 'healthCheck'], pool.healthCheck, policy.connect, readFile),
    };
  });
}

/** A pool that no listener names is no mistake, but hardly meant. */
export function warnOfUnusedPools(document: ConfigDocument, input: ConfigInput): void {
  const used = new Set(
    Object.values(input.listeners).flatMap(({ pool, routes = [] }) => [
      pool,
      ...routes.flatMap((route) => [route.pool, ...Object.keys(route.split ?? {})]),
    ]),
  );
  for (const name of Object.keys(input.pools)) {
    if (!used.has(name)) document.warn(['pools', name], 'No listener uses this pool');
  }
}

function readBackends(
  document: ConfigDocument,
  path: Path,
  input: PoolInput['backends'],
): readonly BackendConfig[] {
  const firstIndex = new Map<string, number>();
  const backends = input.flatMap((entry, index): readonly BackendConfig[] => {
    const { address, ...rest } = typeof entry === 'string' ? { address: entry } : entry;
    const addressPath = typeof entry === 'string' ? [...path, index] : [...path, index, 'address'];
    const target = parsedAt(document, addressPath, parseTarget(address), undefined);
    if (target === undefined) return [];

    const first = firstIndex.get(formatTarget(target));
    if (first === undefined) firstIndex.set(formatTarget(target), index);
    else
      document.expected(
        addressPath,
        `each backend once (it is at line ${document.lineOf([...path, first])} too)`,
      );
    return [
      {
        target,
        weight: rest.weight ?? defaultBackend.weight,
        backup: rest.backup ?? defaultBackend.backup,
        maxConnections: limit(rest.maxConnections, defaultBackend.maxConnections),
      },
    ];
  });
  const allKnown = backends.length === input.length;
  if (allKnown && backends.every(({ weight }) => weight === 0)) {
    document.problem(path, 'Expected a backend with a weight above 0, found none', 'key');
  }
  return backends;
}

function readPolicy(document: ConfigDocument, path: Path, input: PoolInput, readFile: ReadFile): PoolPolicy {
  const fallback = defaultPoolPolicy;
  return {
    balance: input.balance ?? fallback.balance,
    connect: readConnect(document, [...path, 'connect'], input.connect, readFile),
    circuitBreaker: readCircuitBreaker(document, [...path, 'circuitBreaker'], input.circuitBreaker),
    limits: {
      maxConnections: limit(input.limits?.maxConnections, fallback.limits.maxConnections),
      queue: {
        size: input.limits?.queue?.size ?? fallback.limits.queue.size,
        timeoutMs: durationReader(
          document,
          [...path, 'limits', 'queue'],
          input.limits?.queue,
        )('timeout', fallback.limits.queue.timeoutMs),
      },
    },
    slowStartMs: durationReader(document, path, input)('slowStart', fallback.slowStartMs, 'off'),
    whenBackendDown: input.whenBackendDown ?? fallback.whenBackendDown,
    panicThresholdPercent: percentage(input.panicThreshold, fallback.panicThresholdPercent),
  };
}

function readConnect(
  document: ConfigDocument,
  path: Path,
  input: PoolInput['connect'],
  readFile: ReadFile,
): PoolPolicy['connect'] {
  const { timeoutMs, retries, backoff } = defaultPoolPolicy.connect;
  const backoffPath = [...path, 'backoff'];
  const wait = durationReader(document, backoffPath, input?.backoff);
  const initialMs = wait('initial', backoff.initialMs, 'zero');
  const maxMs = wait('max', backoff.maxMs, 'zero');
  checkOrder(document, backoffPath, ['initial', initialMs], ['max', maxMs]);
  return {
    timeoutMs: durationReader(document, path, input)('timeout', timeoutMs),
    retries: input?.retries ?? retries,
    backoff: { initialMs, maxMs },
    proxyProtocol: readSentProxyProtocol(document, [...path, 'proxyProtocol'], input?.proxyProtocol),
    tls: readBackendTls(document, [...path, 'tls'], input?.tls, readFile),
  };
}

function readCircuitBreaker(
  document: ConfigDocument,
  path: Path,
  input: PoolInput['circuitBreaker'] = {},
): PoolPolicy['circuitBreaker'] {
  if (input === 'off') return 'off';
  const fallback = defaultCircuitBreaker;
  const duration = durationReader(document, path, input);
  const openForMs = duration('openFor', fallback.openForMs);
  const maxOpenForMs = duration('maxOpenFor', fallback.maxOpenForMs);
  checkOrder(document, path, ['openFor', openForMs], ['maxOpenFor', maxOpenForMs]);
  return {
    consecutiveFailures: input.consecutiveFailures ?? fallback.consecutiveFailures,
    openForMs,
    maxOpenForMs,
    halfOpenTrials: input.halfOpenTrials ?? fallback.halfOpenTrials,
  };
}
