/** A checked configuration for people: who listens, what becomes of clients, and how backends are reached. */
import { formatAddress, formatTarget } from '../../config/addresses.ts';
import { type OwnCertificate, ownCertificates } from '../../config/certificates.ts';
import type {
  AgentCheckConfig,
  Config,
  HealthCheckConfig,
  ListenerConfig,
  PoolConfig,
  RouteConfig,
} from '../../config/config.ts';
import { formatDuration } from '../../config/durations.ts';
import { orList } from '../../config/options/terms.ts';
import type { AccessPolicy } from '../../core/access/access-policy.ts';
import type {
  BackendTls,
  ClientLimits,
  ConnectPolicy,
  ListenerPolicy,
  ListenerTls,
  PoolPolicy,
} from '../../core/plan.ts';
import { countOf } from '../config-file.ts';
import type { Checked, ServingGroup } from './checked.ts';

export function asText({ config, driver: { module, why }, serving }: Checked): string {
  const certificates = ownCertificates(config);
  const lines = [
    module === undefined
      ? `driver    ${config.driver}, which does not run here: ${why}`
      : `driver    ${module.name}, because ${why}`,
    ...config.listeners.flatMap((listener) => [
      ...listenerLines(listener, serving.get(listener.name)),
      ...certificateLines(certificates, ({ of }) => 'listener' in of && of.listener === listener.name),
      ...indented(listener.routes.map(routeText)),
    ]),
    ...config.pools.flatMap((pool) => [
      ...poolLines(pool),
      ...certificateLines(certificates, ({ of }) => 'pool' in of && of.pool === pool.name),
    ]),
    adminLine(config),
  ];
  return `${lines.join('\n')}\n`;
}

function listenerLines(
  { name, bind, pool, policy }: ListenerConfig,
  serving: ServingGroup | undefined,
): readonly string[] {
  const { access, proxyProtocol, tls, limits, timeouts, refuseWith } = policy;
  const { idleMs, halfClosedMs, maxLifetimeMs } = timeouts;
  return [
    `listener  ${name} on ${bind.map(formatAddress).join(', ')}${pool === undefined ? '' : ` to pool ${pool}`}`,
    ...indented([
      ...(serving === undefined ? [] : [servingText(serving)]),
      ...accessTexts(access),
      ...(proxyProtocol === 'off' ? [] : [proxyProtocolText(proxyProtocol)]),
      ...(tls === 'off' ? [] : listenerTlsTexts(tls)),
      limitsText('limits', limits),
      ...(isUnlimited(limits.perClient) ? [] : [limitsText('limits of a client', limits.perClient)]),
      `time-outs: idle ${formatDuration(idleMs)}, half-closed ${formatDuration(halfClosedMs)}, lifetime ${formatDuration(maxLifetimeMs)}`,
      ...(refuseWith === 'close' ? ['closes who is refused, without a reset'] : []),
    ]),
  ];
}

function poolLines({ name, policy, backends, healthCheck, agentCheck }: PoolConfig): readonly string[] {
  const { balance, connect, circuitBreaker, limits, slowStartMs, panicThresholdPercent, whenBackendDown } =
    policy;
  return [
    `pool      ${name}, ${balance}, ${healthCheck === undefined ? 'not health-checked' : healthCheckText(healthCheck)}`,
    ...indented([
      ...backends.map(backendText),
      ...(agentCheck === undefined ? [] : [agentCheckText(agentCheck)]),
      connectText(connect),
      ...(connect.tls === 'off' ? [] : [`TLS to backends, ${backendTlsText(connect.tls)}`]),
      `limits: ${limits.maxConnections === Infinity ? 'none' : countOf(limits.maxConnections, 'connection')}`,
      queueText(limits.queue),
      circuitBreakerText(circuitBreaker),
      ...(slowStartMs === 0 ? [] : [`slow start over ${formatDuration(slowStartMs)}`]),
      ...(whenBackendDown === 'close' ? ['closes the connections of a backend that went down'] : []),
      ...(panicThresholdPercent === 0
        ? []
        : [`ignores health while fewer than ${panicThresholdPercent}% of the backends are healthy`]),
    ]),
  ];
}

function adminLine({ admin }: Config): string {
  if (admin === 'off') return 'admin     off';
  return `admin     ${formatAddress(admin.bind)}, ${admin.tokens.length === 0 ? 'without a token' : `with ${countOf(admin.tokens.length, 'token')}`}`;
}

function indented(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `          ${line}`);
}

function servingText({ driver, workers, because }: ServingGroup): string {
  return `runs on ${driver} with ${countOf(workers, 'worker')}${because === undefined ? '' : `, because ${because}`}`;
}

/** Lists may be long: only their length is told. */
function accessTexts({ allow, deny }: AccessPolicy): readonly string[] {
  return [
    ...(allow === undefined ? [] : [`allows ${countOf(allow.ranges, 'network')}`]),
    ...(deny === undefined ? [] : [`denies ${countOf(deny.ranges, 'network')}`]),
  ];
}

function proxyProtocolText(policy: Exclude<ListenerPolicy['proxyProtocol'], 'off'>): string {
  const from = [
    ...(policy.from.ranges === 0 ? [] : [countOf(policy.from.ranges, 'network')]),
    ...(policy.fromUnix ? ['unix sockets'] : []),
  ];
  return `PROXY protocol ${policy.mode} from ${from.join(' and ')}, within ${formatDuration(policy.timeoutMs)}`;
}

function listenerTlsTexts({
  certificates,
  minVersion,
  alpn,
  clientAuth,
  handshakeTimeoutMs,
}: ListenerTls): readonly string[] {
  const protocols = alpn.length === 0 ? '' : `, ALPN ${alpn.join(', ')}`;
  return [
    `TLS from ${minVersion} on with ${countOf(certificates.length, 'certificate')}${protocols}, handshake within ${formatDuration(handshakeTimeoutMs)}`,
    ...(clientAuth === 'off' ? [] : [`client certificates ${clientAuth}`]),
  ];
}

function isUnlimited({ maxConnections, connectionsPerSecond }: ClientLimits): boolean {
  return maxConnections === Infinity && connectionsPerSecond === Infinity;
}

function limitsText(what: string, limits: ClientLimits): string {
  const { maxConnections, connectionsPerSecond, burst } = limits;
  const parts = [
    ...(maxConnections === Infinity ? [] : [countOf(maxConnections, 'connection')]),
    ...(connectionsPerSecond === Infinity
      ? []
      : [`${connectionsPerSecond} new a second in bursts of ${burst}`]),
  ];
  return `${what}: ${isUnlimited(limits) ? 'none' : parts.join(', ')}`;
}

function healthCheckText({ probe, intervalMs }: HealthCheckConfig): string {
  return `${probe.type} check every ${formatDuration(intervalMs)}`;
}

function agentCheckText({ host, port, intervalMs }: AgentCheckConfig): string {
  const whom = host === undefined ? 'an agent beside each backend' : `an agent at ${host}`;
  return `asks ${whom} on port ${port} every ${formatDuration(intervalMs)}`;
}

function backendText({ target, weight, backup, maxConnections }: PoolConfig['backends'][number]): string {
  const most = maxConnections === Infinity ? '' : `, at most ${countOf(maxConnections, 'connection')}`;
  return `${formatTarget(target)}, weight ${weight}${backup ? ', backup' : ''}${most}`;
}

function connectText({ timeoutMs, retries, backoff, proxyProtocol }: ConnectPolicy): string {
  const again =
    retries === 0
      ? 'no retries'
      : `${retries === 1 ? '1 retry' : `${retries} retries`} after ${formatDuration(backoff.initialMs)} to ${formatDuration(backoff.maxMs)}`;
  const header = proxyProtocol === 'off' ? '' : `, PROXY protocol ${proxyProtocol.version}`;
  return `connect: within ${formatDuration(timeoutMs)}, ${again}${header}`;
}

function backendTlsText({ servername, ca, verify, cert }: BackendTls): string {
  const authorities = ca === undefined ? 'well-known authorities' : 'authorities of its own';
  const name = servername === undefined ? 'the name of each' : servername;
  const verified = verify ? `verified as ${name} by ${authorities}` : 'not verified';
  return `${verified}${cert === undefined ? '' : ', with a client certificate'}`;
}

function queueText({ size, timeoutMs, whenNoBackend }: PoolPolicy['limits']['queue']): string {
  if (size === 0) return 'queue: none';
  const waits = whenNoBackend === 'wait' ? ', also for the first backend to come up' : '';
  return `queue: ${countOf(size, 'client')}, each for ${formatDuration(timeoutMs)}${waits}`;
}

function circuitBreakerText(breaker: PoolPolicy['circuitBreaker']): string {
  if (breaker === 'off') return 'circuit breaker: off';
  const { consecutiveFailures, openForMs, maxOpenForMs } = breaker;
  return `circuit breaker: opens after ${countOf(consecutiveFailures, 'failure')} in a row, for ${formatDuration(openForMs)} to ${formatDuration(maxOpenForMs)}`;
}

/** Each certificate with the day on which it ends. */
function certificateLines(
  certificates: readonly OwnCertificate[],
  isShown: (certificate: OwnCertificate) => boolean,
): readonly string[] {
  const shown = certificates.filter(isShown);
  return indented(
    shown.map(({ name, notAfterMs }) => `certificate for ${name}, good until ${isoDay(notAfterMs)}`),
  );
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function routeText({ when, to }: RouteConfig): string {
  const { client, ...lists } = when;
  const conditions = Object.entries(lists).flatMap(([key, values]) =>
    values === undefined ? [] : [`${key} is ${orList(values)}`],
  );
  if (client !== undefined) conditions.push(`client is in ${countOf(client.ranges, 'network')}`);
  const condition = conditions.length === 0 ? 'always' : `when ${conditions.join(' and ')}`;
  const pools =
    to.length === 1 ? to.map(({ pool }) => pool) : to.map(({ pool, weight }) => `${pool}:${weight}`);
  return `${condition}, to pool ${pools.join(' ')}`;
}
