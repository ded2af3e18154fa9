/** TLS, towards clients and towards backends. */
import type { BackendTls, ListenerTls } from '../core/plan.ts';
import { warnOfOverlaps } from './certificate-overlaps.ts';
import { defaultListenerTls } from './defaults.ts';
import type { ConfigDocument } from './document.ts';
import type { Path } from './issues.ts';
import type { ReadFile } from './named-files.ts';
import { readCertificates, readKeyPair } from './pem.ts';
import type { BackendTlsInput, ListenerTlsInput } from './schema/schema.ts';
import { durationReader } from './values.ts';

export function readListenerTls(
  document: ConfigDocument,
  path: Path,
  input: ListenerTlsInput | undefined,
  readFile: ReadFile,
): ListenerTls | 'off' {
  if (input === undefined) return 'off';
  const { clientAuth = defaultListenerTls.clientAuth, clientCa } = input;
  if (clientAuth !== 'off' && clientCa === undefined) {
    document.problem(
      [...path, 'clientAuth'],
      'Missing key "clientCa", who may have signed clients’ certificates',
    );
  }
  if (clientAuth === 'off' && clientCa !== undefined) {
    document.warn([...path, 'clientCa'], 'Has no effect without clientAuth');
  }
  const certificates = input.certificates.flatMap((names, index) => {
    const place = [...path, 'certificates', index];
    const pair = readKeyPair(document, place, names, readFile);
    return pair === undefined ? [] : { path: [...place, 'cert'], name: names.cert, ...pair };
  });
  warnOfOverlaps(document, certificates);
  return {
    certificates: certificates.map(({ cert, key }) => ({ cert, key })),
    minVersion: input.minVersion ?? defaultListenerTls.minVersion,
    alpn: input.alpn ?? defaultListenerTls.alpn,
    clientAuth,
    clientCa: clientCa && readCertificates(document, [...path, 'clientCa'], clientCa, readFile),
    handshakeTimeoutMs: durationReader(
      document,
      path,
      input,
    )('handshakeTimeout', defaultListenerTls.handshakeTimeoutMs),
  };
}

export function readBackendTls(
  document: ConfigDocument,
  path: Path,
  input: BackendTlsInput = 'off',
  readFile: ReadFile,
): BackendTls | 'off' {
  if (input === 'off') return 'off';
  const { servername, verify = true } = input;
  if (!verify) document.warn([...path, 'verify'], 'Whoever answers is taken for the backend');
  return { servername, verify, ...readPapers(document, path, input, readFile) };
}

/** Whom the proxy trusts, and what it shows of itself. */
export function readPapers(
  document: ConfigDocument,
  path: Path,
  { ca, cert, key }: Exclude<BackendTlsInput, 'off'>,
  readFile: ReadFile,
): Pick<BackendTls, 'ca' | 'cert' | 'key'> {
  if ((cert === undefined) !== (key === undefined)) {
    const [there, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    document.problem([...path, there], `Missing key "${missing}", which belongs to it`, 'key');
  }
  const pair =
    cert === undefined || key === undefined
      ? undefined
      : readKeyPair(document, path, { cert, key }, readFile);
  return {
    ca: ca && readCertificates(document, [...path, 'ca'], ca, readFile),
    cert: pair?.cert,
    key: pair?.key,
  };
}
