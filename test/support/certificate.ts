/**
 * Certificates made on the spot, so that no key lies in the repository: X.509 v3 (RFC 5280) in DER (X.690).
 */
import { generateKeyPairSync, type KeyPairKeyObjectResult, randomBytes, sign } from 'node:crypto';
import { isIPv4 } from 'node:net';

export interface TestCertificate {
  /** PEM; the certificate is its own authority. */
  readonly cert: string;
  readonly key: string;
}

/** Valid from 2000 to 2099 for the given DNS names. */
export function selfSigned(...names: readonly string[]): TestCertificate {
  return issue({ names }, undefined);
}

export interface Subject {
  /** DNS names, and IPv4 addresses as such. */
  readonly names?: readonly string[];
  /** The first name, where none is given. */
  readonly commonName?: string;
  /** Only elliptic curves are quick to make. */
  readonly kind?: 'ec' | 'rsa' | 'tiny-rsa';
  /** Over since 2001. */
  readonly isExpired?: boolean;
  /** Until when it is good, to the second; the end of 2099 where it is not said. */
  readonly expires?: Date | undefined;
}

export interface Authority {
  readonly cert: string;
  issue(subject: Subject): TestCertificate;
}

/** Signs certificates for others. */
export function authority(commonName: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const own = issue({ commonName }, { commonName, keys, isAuthority: true });
  return { cert: own.cert, issue: (subject) => issue(subject, { commonName, keys, isAuthority: false }) };
}

interface Issuer {
  readonly commonName: string;
  readonly keys: KeyPairKeyObjectResult;
  /** Whether what it issues is its own certificate. */
  readonly isAuthority: boolean;
}

function issue(
  { names = [], commonName, kind, isExpired, expires }: Subject,
  issuer: Issuer | undefined,
): TestCertificate {
  const keys = issuer?.isAuthority ? issuer.keys : keyPair(kind);
  const name = commonName ?? names[0] ?? 'test';
  const body = sequence(
    der(0xa0, integer(2)),
    der(0x02, Buffer.from([1, ...randomBytes(8)])),
    signatureAlgorithm(issuer?.keys ?? keys),
    distinguished(issuer?.commonName ?? name),
    sequence(
      text(0x18, '20000101000000Z'),
      text(0x18, isExpired ? '20010101000000Z' : generalizedTime(expires)),
    ),
    distinguished(name),
    keys.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(names, issuer?.isAuthority ?? false))),
  );
  const signer = issuer?.keys ?? keys;
  const signature = sign('sha256', body, signer.privateKey);
  const certificate = sequence(body, signatureAlgorithm(signer), der(0x03, Buffer.from([0]), signature));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** GeneralizedTime (RFC 5280, 4.1.2.5.2). */
function generalizedTime(date = new Date('2099-12-31T23:59:59Z')): string {
  return `${date.toISOString().replace(/[-T:]|\.\d+Z$/g, '')}Z`;
}

function keyPair(kind: Subject['kind']): KeyPairKeyObjectResult {
  return kind === 'rsa' || kind === 'tiny-rsa'
    ? generateKeyPairSync('rsa', { modulusLength: kind === 'rsa' ? 2048 : 512 })
    : generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function signatureAlgorithm({ privateKey }: KeyPairKeyObjectResult): Buffer {
  return privateKey.asymmetricKeyType === 'rsa'
    ? sequence(oid('2a864886f70d01010b'), der(0x05))
    : sequence(oid('2a8648ce3d040302'));
}

function distinguished(commonName: string): Buffer {
  return sequence(set(sequence(oid('550403'), text(0x0c, commonName))));
}

function extensions(names: readonly string[], isAuthority: boolean): Buffer[] {
  const alternatives = sequence(
    ...names.map((name) =>
      isIPv4(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : text(0x82, name),
    ),
  );
  const constraints = sequence(...(isAuthority ? [der(0x01, Buffer.from([0xff]))] : []));
  return [
    sequence(oid('551d13'), der(0x04, constraints)),
    ...(names.length > 0 ? [sequence(oid('551d11'), der(0x04, alternatives))] : []),
  ];
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = body.length < 0x80 ? [body.length] : [0x82, body.length >> 8, body.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Buffer[]): Buffer => der(0x31, ...parts);
const integer = (value: number): Buffer => der(0x02, Buffer.from([value]));
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value));

function pem(label: string, body: Buffer): string {
  const lines = body.toString('base64').match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}
