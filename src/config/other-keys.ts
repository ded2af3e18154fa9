/** What others call our keys: nginx, HAProxy, Traefik, Envoy, Caddy, and people who guess. */
import { lettersOf } from './guesses.ts';

/** Our keys that a key of others may stand for; the place decides which. Letters and digits alone count. */
export function keysLike(other: string): readonly string[] {
  return ourKeys.get(lettersOf(other)) ?? [];
}

export const otherKeys: Readonly<Record<string, readonly string[]>> = {
  listeners: ['frontend', 'frontends', 'entryPoints', 'server', 'servers', 'listen', 'stream', 'tcp'],
  pools: ['backend', 'backends', 'upstream', 'upstreams', 'service', 'services', 'cluster', 'clusters'],
  workers: ['threads', 'nbthread', 'worker_processes', 'concurrency'],
  admin: ['api', 'metrics', 'stats', 'dashboard', 'prometheus'],
  log: ['logging', 'access_log', 'accessLog', 'error_log'],
  resolver: ['resolvers', 'dns'],
  servers: ['nameserver', 'nameservers'],
  shutdown: ['graceful', 'drain', 'stop'],
  grace: ['graceTimeOut', 'hard-stop-after', 'worker_shutdown_timeout'],

  bind: ['listen', 'address', 'addresses', 'port', 'host'],
  pool: [
    'backend',
    'default_backend',
    'use_backend',
    'proxy_pass',
    'reverse_proxy',
    'upstream',
    'service',
    'cluster',
    'target',
  ],
  routes: ['rules', 'routers', 'acl', 'match', 'map'],
  when: ['rule', 'match', 'if', 'condition'],
  split: ['weighted', 'weights', 'split_clients'],
  sni: ['HostSNI', 'server_name', 'serverNames', 'req_ssl_sni', 'ssl_preread_server_name'],
  httpHost: ['host', 'hosts'],
  client: ['src', 'source', 'clientIP', 'sourceRange', 'remote_addr'],
  allow: ['whitelist', 'allowlist', 'ipAllowList'],
  deny: ['blacklist', 'denylist', 'blocklist'],
  proxyProtocol: ['accept-proxy', 'send-proxy', 'send-proxy-v2'],
  from: ['trustedIPs', 'set_real_ip_from'],
  tls: ['ssl', 'https', 'proxy_ssl'],
  certificates: ['cert', 'certificate', 'certs', 'crt', 'key', 'ssl_certificate', 'ssl_certificate_key'],
  minVersion: ['ssl-min-ver', 'ssl_protocols', 'minTLSVersion'],
  clientAuth: ['ssl_verify_client', 'mtls'],
  clientCa: ['ssl_client_certificate', 'caFiles', 'clientCAFile'],
  inspect: ['inspect-delay', 'ssl_preread', 'preread'],

  limits: ['limit'],
  maxConnections: ['maxconn', 'max_conns', 'limit_conn', 'inFlightConn', 'connections'],
  connectionsPerSecond: ['rate', 'rateLimit', 'rate-limit', 'limit_req', 'ratePerSecond'],
  perClient: ['perIp', 'perSource'],
  queue: ['maxqueue'],
  timeouts: ['timeout'],
  idle: [
    'timeout client',
    'timeout server',
    'clientTimeout',
    'serverTimeout',
    'proxy_timeout',
    'idleTimeout',
  ],
  halfClosed: ['client-fin', 'server-fin', 'timeout client-fin', 'terminationDelay'],

  backends: [
    'server',
    'servers',
    'upstream',
    'upstreams',
    'endpoints',
    'targets',
    'addresses',
    'hosts',
    'members',
  ],
  address: ['url', 'server', 'addr', 'target', 'host', 'ip', 'port'],
  backup: ['standby', 'fallback'],
  balance: ['lb', 'algorithm', 'strategy', 'lb_policy', 'loadBalancing', 'loadBalancer', 'method', 'policy'],
  agentCheck: ['agent'],
  healthCheck: ['check', 'health', 'health_checks', 'httpchk', 'option httpchk'],
  interval: ['inter', 'every', 'period'],
  rise: ['passes', 'healthy_threshold', 'healthyThreshold'],
  fall: ['fails', 'unhealthy_threshold', 'unhealthyThreshold'],
  path: ['uri', 'url', 'health_uri'],
  expectStatus: ['status', 'expectedStatus', 'codes'],
  connect: ['proxy', 'dial', 'serversTransport'],
  timeout: ['timeout connect', 'connectTimeout', 'proxy_connect_timeout', 'dialTimeout'],
  retries: ['retry', 'maxRetries', 'proxy_next_upstream_tries'],
  servername: ['sni', 'proxy_ssl_name', 'verifyhost'],
  ca: ['caFile', 'ca-file', 'rootCAs', 'proxy_ssl_trusted_certificate'],
  circuitBreaker: ['outlier_detection', 'breaker', 'observe'],
  level: ['verbosity', 'logLevel', 'severity'],
};

const ourKeys = new Map<string, string[]>();
for (const [ours, others] of Object.entries(otherKeys)) {
  for (const other of others) {
    const letters = lettersOf(other);
    ourKeys.set(letters, [...(ourKeys.get(letters) ?? []), ours]);
  }
}
