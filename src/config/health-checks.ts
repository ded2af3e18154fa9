/** Health checks: their rhythm, and what each type of probe needs. */
import { isIP } from 'node:net';
import type { BackendTls, ConnectPolicy } from '../core/plan.ts';
import type { CheckConnection, HealthCheckConfig, ProbeConfig, ProbeHttp } from './config.ts';
import { defaultHealthCheck, defaultProbeHttp } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import type { ReadFile } from './named-files.ts';
import type { PoolInput } from './schema/schema.ts';
import { orList } from './schema/terms.ts';
import { readPapers } from './tls.ts';
import { durationReader, percentage } from './values.ts';

type HealthCheckInput = NonNullable<PoolInput['healthCheck']>;

/** `connect` is how sessions connect to the backends. */
export function readHealthCheck(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput,
  connect: ConnectPolicy,
  readFile: ReadFile,
): HealthCheckConfig {
  checkKeysOfType(document, path, input);
  const duration = durationReader(document, path, input);
  return {
    probe: readProbe(document, path, input),
    intervalMs: duration('interval', defaultHealthCheck.intervalMs),
    timeoutMs: duration('timeout', connect.timeoutMs),
    rise: input.rise ?? defaultHealthCheck.rise,
    fall: input.fall ?? defaultHealthCheck.fall,
    jitterPercent: percentage(input.jitter, defaultHealthCheck.jitterPercent),
    port: input.port,
    ...readConnections(document, path, input, connect, readFile),
  };
}

type Connections = Pick<HealthCheckConfig, 'connection' | 'connectionElsewhere'>;

function readConnections(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput,
  { proxyProtocol, tls }: ConnectPolicy,
  readFile: ReadFile,
): Connections {
  const asksForTls = input.type === 'tls' || input.type === 'https' || typeof input.tls === 'object';
  if (asksForTls && input.tls === 'off') {
    document.expected([...path, 'tls'], `a mapping beside the type "${input.type}", which is TLS`);
  }
  const own = readTls(document, path, input, tls, readFile);
  const inherited = proxyProtocol === 'off' ? proxyProtocol : proxyProtocol.version;
  const elsewhere: CheckConnection = {
    proxyProtocol: input.proxyProtocol ?? 'off',
    tls: asksForTls ? own : 'off',
  };
  const connection: CheckConnection = {
    proxyProtocol: input.proxyProtocol ?? inherited,
    tls: asksForTls || (tls !== 'off' && input.tls !== 'off') ? own : 'off',
  };
  return { connection, connectionElsewhere: elsewhere };
}

/** TLS as the check has it, once it has any: what it does not say is as for sessions. */
function readTls(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput,
  inherited: BackendTls | 'off',
  readFile: ReadFile,
): BackendTls {
  const own = typeof input.tls === 'object' ? input.tls : {};
  const papers = readPapers(document, [...path, 'tls'], own, readFile);
  // Where sessions do without TLS, the Host header is the next best to go by.
  const base =
    inherited === 'off'
      ? { servername: nameIn(input.host), verify: true, ca: undefined, cert: undefined, key: undefined }
      : inherited;
  const { cert, key } = own.cert === undefined && own.key === undefined ? base : papers;
  return {
    servername: own.servername ?? base.servername,
    verify: own.verify ?? base.verify,
    ca: own.ca === undefined ? base.ca : papers.ca,
    cert,
    key,
  };
}

/** The name in `name` or `name:port`; undefined where it is an IP address, which TLS names are not. */
function nameIn(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d+$/, '');
  return name === undefined || name.includes(':') || isIP(name) !== 0 ? undefined : name;
}

const typesWith: Readonly<Partial<Record<keyof HealthCheckInput, readonly HealthCheckInput['type'][]>>> = {
  path: ['http', 'https'],
  method: ['http', 'https'],
  host: ['http', 'https'],
  expectStatus: ['http', 'https'],
  send: ['send-expect'],
  expect: ['send-expect'],
};

function checkKeysOfType(document: ConfigDocument, path: Path, input: HealthCheckInput): void {
  for (const [key, types] of Object.entries(typesWith)) {
    if (key in input && !types.includes(input.type)) {
      const wanted = orList(types.map((type) => `"${type}"`));
      document.problem(
        [...path, key],
        `Key "${key}" goes with type ${wanted}, found type "${input.type}"`,
        'key',
      );
    }
  }
}

function readProbe(document: ConfigDocument, path: Path, input: HealthCheckInput): ProbeConfig {
  switch (input.type) {
    case 'tcp':
    case 'tls':
      return { type: input.type };
    case 'http':
    case 'https':
      return { type: input.type, http: readHttp(document, path, input) };
    case 'send-expect':
      if (input.expect === undefined && document.placeOf([...path, 'expect']) === undefined) {
        document.problem([...path, 'expect'], 'Missing key "expect", what the answer must begin with');
      }
      return { type: 'send-expect', send: input.send, expect: input.expect ?? '' };
  }
}

function readHttp(document: ConfigDocument, path: Path, input: HealthCheckInput): ProbeHttp {
  return {
    method: input.method ?? defaultProbeHttp.method,
    path: input.path ?? defaultProbeHttp.path,
    host: input.host,
    expectStatus:
      input.expectStatus?.map((entry, index) => {
        const [from = 0, to = from] = String(entry).split('-').map(Number);
        if (from > to)
          document.expected([...path, 'expectStatus', index], 'a range that goes up, such as "200-399"');
        return { from, to };
      }) ?? defaultProbeHttp.expectStatus,
  };
}
