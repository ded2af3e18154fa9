/** Health checks: their rhythm, and what each type of probe needs. */
import type { HealthCheckConfig, ProbeConfig, ProbeHttp, ProbeTls } from './config.ts';
import { defaultHealthCheck, defaultProbeHttp } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import { type ReadFile, readNamedFile } from './named-files.ts';
import type { PoolInput } from './schema/schema.ts';
import { orList } from './schema/terms.ts';
import { durationReader, percentage } from './values.ts';

type HealthCheckInput = NonNullable<PoolInput['healthCheck']>;

export function readHealthCheck(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput,
  readFile: ReadFile,
): HealthCheckConfig {
  checkKeysOfType(document, path, input);
  const duration = durationReader(document, path, input);
  return {
    probe: readProbe(document, path, input, readFile),
    intervalMs: duration('interval', defaultHealthCheck.intervalMs),
    timeoutMs: duration('timeout', defaultHealthCheck.timeoutMs),
    rise: input.rise ?? defaultHealthCheck.rise,
    fall: input.fall ?? defaultHealthCheck.fall,
    jitterPercent: percentage(input.jitter, defaultHealthCheck.jitterPercent),
    port: input.port,
  };
}

const typesWith: Readonly<Partial<Record<keyof HealthCheckInput, readonly HealthCheckInput['type'][]>>> = {
  path: ['http', 'https'],
  method: ['http', 'https'],
  host: ['http', 'https'],
  expectStatus: ['http', 'https'],
  tls: ['tls', 'https'],
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

function readProbe(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput,
  readFile: ReadFile,
): ProbeConfig {
  switch (input.type) {
    case 'tcp':
      return { type: 'tcp' };
    case 'tls':
      return { type: 'tls', tls: readTls(document, [...path, 'tls'], input.tls, readFile) };
    case 'http':
      return { type: 'http', http: readHttp(document, path, input) };
    case 'https':
      return {
        type: 'https',
        http: readHttp(document, path, input),
        tls: readTls(document, [...path, 'tls'], input.tls, readFile),
      };
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

function readTls(
  document: ConfigDocument,
  path: Path,
  input: HealthCheckInput['tls'],
  readFile: ReadFile,
): ProbeTls {
  const ca = input?.ca === undefined ? undefined : readCa(document, [...path, 'ca'], input.ca, readFile);
  return { servername: input?.servername, verify: input?.verify ?? true, ca };
}

function readCa(document: ConfigDocument, path: Path, name: string, readFile: ReadFile): string | undefined {
  const named = readNamedFile(document, path, name, readFile);
  if (named === undefined || named.text.includes('-----BEGIN CERTIFICATE-----')) return named?.text;
  document.problem(path, `Expected a PEM file with certificates, found none in ${named.file}`);
  return undefined;
}
