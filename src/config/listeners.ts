/** Listeners: their addresses, the pool each one names, limits and timeouts. */
import type { Address } from '../core/contract.ts';
import type { ClientLimits, ListenerPolicy } from '../core/plan.ts';
import { readAccess } from './access-lists.ts';
import { placeOfBind, readBind } from './binds.ts';
import type { ListenerConfig } from './config.ts';
import { defaultListenerPolicy } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import type { ReadFile } from './named-files.ts';
import { nearest } from './nearest.ts';
import { readAcceptedProxyProtocol } from './proxy-protocol.ts';
import { readRoutes } from './routes.ts';
import type { ConfigInput, ListenerInput } from './schema/schema.ts';
import { formatSize, parseSize } from './sizes.ts';
import { readListenerTls } from './tls.ts';
import { durationReader, limit, parsedAt } from './values.ts';

export function readListeners(
  document: ConfigDocument,
  input: ConfigInput,
  readFile: ReadFile,
): readonly ListenerConfig[] {
  const pools = [...(document.placeOf(['pools'])?.children.keys() ?? [])].map(String);
  return Object.entries(input.listeners).map(([name, listener]) => {
    const path = ['listeners', name];
    const known = (place: Path, pool: string): void => checkPool(document, place, pool, pools);
    if (listener.pool !== undefined) known([...path, 'pool'], listener.pool);
    else if (listener.routes === undefined || listener.routes.length === 0) {
      document.problem(path, 'Missing key "pool", where connections go', 'key');
    }
    const bind = readBinds(document, [...path, 'bind'], listener.bind);
    const policy = readPolicy(document, path, listener, readFile);
    const routes = readRoutes(document, [...path, 'routes'], listener.routes ?? [], known);
    warnOfUnbelieved(document, path, bind, policy);
    warnOfUnreadHosts(document, path, routes, policy);
    return { name, bind, pool: listener.pool, routes, policy };
  });
}

function warnOfUnbelieved(
  document: ConfigDocument,
  path: Path,
  bind: readonly Address[],
  { proxyProtocol }: ListenerPolicy,
): void {
  if (proxyProtocol === 'off' || proxyProtocol.fromUnix || !bind.some((one) => 'path' in one)) return;
  document.warn([...path, 'proxyProtocol'], 'Believes nobody over a unix socket, where "from" lacks "unix"');
}

/** Browsers take HTTP/2 where it is offered, and its host is not read. */
function warnOfUnreadHosts(
  document: ConfigDocument,
  path: Path,
  routes: ListenerConfig['routes'],
  { tls }: ListenerPolicy,
): void {
  const asks = routes.findIndex(({ when }) => when.httpHost !== undefined);
  if (asks < 0 || tls === 'off' || !tls.alpn.includes('h2')) return;
  document.warn(
    [...path, 'routes', asks, 'when', 'httpHost'],
    'Is not known of clients that agree on "h2", which tls.alpn offers: ask for "sni", or leave "h2" out',
  );
}

/** The places of the addresses, for `checkBinds`. */
export function bindPlaces(listeners: readonly ListenerConfig[], input: ConfigInput): readonly BindPlace[] {
  return listeners.flatMap(({ name, bind }) => {
    const given = input.listeners[name]?.bind ?? [];
    const path = ['listeners', name, 'bind'];
    return bind.map((address, index) => ({
      address,
      path: Array.isArray(given) ? placeOfBind([...path, index], given[index]) : placeOfBind(path, given),
    }));
  });
}

export interface BindPlace {
  readonly address: Address;
  readonly path: Path;
}

function readBinds(document: ConfigDocument, path: Path, input: ListenerInput['bind']): readonly Address[] {
  // Port 0 collides with nothing; the issue keeps it from ever being listened on.
  const none = { host: '127.0.0.1', port: 0 };
  if (!Array.isArray(input)) return [readBind(document, path, input, none)];
  return input.map((one, index) => readBind(document, [...path, index], one, none));
}

function checkPool(document: ConfigDocument, path: Path, name: string, pools: readonly string[]): void {
  if (pools.includes(name)) return;
  const meant = nearest(name, pools);
  const some = pools.slice(0, 10).join(', ');
  const known = pools.length > 10 ? `${some}, …` : some;
  document.expected(path, `the name of a pool${known === '' ? '' : ` (${known})`}`, meant);
}

function readPolicy(
  document: ConfigDocument,
  path: Path,
  input: ListenerInput,
  readFile: ReadFile,
): ListenerPolicy {
  const { limits, timeouts } = defaultListenerPolicy;
  const duration = durationReader(document, [...path, 'timeouts'], input.timeouts);
  const limitsPath = [...path, 'limits'];
  return {
    access: readAccess(document, path, input, readFile),
    limits: {
      ...readLimits(document, limitsPath, input.limits),
      perClient: {
        ...readLimits(document, [...limitsPath, 'perClient'], input.limits?.perClient),
        ipv6Prefix: input.limits?.perClient?.ipv6Prefix ?? limits.perClient.ipv6Prefix,
      },
    },
    timeouts: {
      idleMs: duration('idle', timeouts.idleMs, 'unlimited'),
      halfClosedMs: duration('halfClosed', timeouts.halfClosedMs, 'unlimited'),
      maxLifetimeMs: duration('maxLifetime', timeouts.maxLifetimeMs, 'unlimited'),
    },
    refuseWith: input.refuseWith ?? defaultListenerPolicy.refuseWith,
    proxyProtocol: readAcceptedProxyProtocol(document, [...path, 'proxyProtocol'], input.proxyProtocol),
    inspect: readInspect(document, [...path, 'inspect'], input.inspect),
    tls: readListenerTls(document, [...path, 'tls'], input.tls, readFile),
  };
}

function readInspect(
  document: ConfigDocument,
  path: Path,
  input: ListenerInput['inspect'],
): ListenerPolicy['inspect'] {
  const { timeoutMs, maxBytes, undecided } = defaultListenerPolicy.inspect;
  const bytes = parsedAt(document, [...path, 'maxBytes'], parseSize(input?.maxBytes ?? maxBytes), maxBytes);
  if (bytes < 1 || bytes > mostInspectedBytes) {
    document.expected([...path, 'maxBytes'], `a size from 1 to "${formatSize(mostInspectedBytes)}"`);
  }
  return {
    timeoutMs: durationReader(document, path, input)('timeout', timeoutMs),
    maxBytes: bytes,
    undecided: input?.undecided ?? undecided,
  };
}

/** What drivers hold of a client's bytes. */
const mostInspectedBytes = 64 * 1024;

type ClientLimitsInput = Omit<NonNullable<NonNullable<ListenerInput['limits']>['perClient']>, 'ipv6Prefix'>;

function readLimits(document: ConfigDocument, path: Path, input: ClientLimitsInput = {}): ClientLimits {
  const { limits } = defaultListenerPolicy;
  const connectionsPerSecond = limit(input.connectionsPerSecond, limits.connectionsPerSecond);
  if (input.burst !== undefined && connectionsPerSecond === Infinity) {
    document.warn([...path, 'burst'], 'Has no effect without connectionsPerSecond');
  }
  return {
    maxConnections: limit(input.maxConnections, limits.maxConnections),
    connectionsPerSecond,
    burst: input.burst ?? Math.max(1, Math.ceil(connectionsPerSecond)),
  };
}
