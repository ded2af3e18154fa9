/** What holds where the file says nothing. The schema's `default`s are written from these. */
import type { Address } from '../core/contract.ts';
import type { CircuitBreakerPolicy, ListenerPolicy, ListenerTls, PoolPolicy } from '../core/plan.ts';
import type {
  HealthCheckConfig,
  LogConfig,
  MemoryConfig,
  ProbeHttp,
  ResolverConfig,
  ShutdownConfig,
} from './config.ts';
import { frozen } from './frozen.ts';

const unlimitedClient = { maxConnections: Infinity, connectionsPerSecond: Infinity, burst: Infinity };

export const defaultListenerPolicy: ListenerPolicy = frozen({
  limits: { ...unlimitedClient, perClient: { ...unlimitedClient, ipv6Prefix: 64 } },
  timeouts: { idleMs: 600_000, halfClosedMs: 60_000, maxLifetimeMs: Infinity },
  refuseWith: 'reset',
  access: { allow: undefined, deny: undefined },
  proxyProtocol: 'off',
  inspect: { timeoutMs: 3_000, maxBytes: 16_384, undecided: 'refuse' },
  tls: 'off',
});

export const defaultProxyProtocolTimeoutMs = 3_000;

export const defaultListenerTls: Omit<ListenerTls, 'certificates'> = frozen({
  minVersion: 'TLSv1.2',
  alpn: [],
  clientAuth: 'off',
  clientCa: undefined,
  handshakeTimeoutMs: 5_000,
});

export const defaultCircuitBreaker: CircuitBreakerPolicy = frozen({
  consecutiveFailures: 5,
  openForMs: 5_000,
  maxOpenForMs: 300_000,
  halfOpenTrials: 1,
});

export const defaultPoolPolicy: PoolPolicy = frozen({
  balance: 'round-robin',
  connect: {
    timeoutMs: 2_000,
    retries: 2,
    backoff: { initialMs: 50, maxMs: 1_000 },
    proxyProtocol: 'off',
    tls: 'off',
  },
  circuitBreaker: defaultCircuitBreaker,
  limits: { maxConnections: Infinity, queue: { size: 0, timeoutMs: 5_000 } },
  slowStartMs: 0,
  whenBackendDown: 'keep',
  panicThresholdPercent: 0,
});

export const defaultBackend = frozen({ weight: 1, backup: false, maxConnections: Infinity });

/** All but the probe: a pool without `healthCheck` has no probes. */
export const defaultHealthCheck: Omit<HealthCheckConfig, 'probe' | 'connection' | 'connectionElsewhere'> =
  frozen({
    intervalMs: 5_000,
    timeoutMs: 2_000,
    rise: 2,
    fall: 3,
    jitterPercent: 10,
    port: undefined,
  });

export const defaultProbeHttp: ProbeHttp = frozen({
  method: 'GET',
  path: '/',
  host: undefined,
  expectStatus: [{ from: 200, to: 399 }],
});

/** Where the admin API listens once the file has an `admin` key; without one it is off. */
export const defaultAdminBind: Address = frozen({ host: '127.0.0.1', port: 9900 });

export const defaultMemory: MemoryConfig = frozen({ bufferBytes: 'auto' });

/** With less, two workers could not hold a bufferful for some ten slow readers each. */
export const leastBufferBytes = 8 * 2 ** 20;

export const defaultLog: LogConfig = frozen({ level: 'info', sessions: true, emptySessions: true });

export const defaultShutdown: ShutdownConfig = frozen({ delayMs: 0, graceMs: 30_000 });

export const defaultResolver: ResolverConfig = frozen({ servers: [], timeoutMs: 5_000 });
