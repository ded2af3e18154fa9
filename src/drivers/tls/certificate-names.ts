/** The names that certificates are for, and which of them serve a name. */
import { X509Certificate } from 'node:crypto';
import type { KeyPair } from '../../core/plan.ts';
import { subjectOf } from './subject.ts';

/** What decides whom a certificate serves. */
export interface CertificateFacts {
  /** DNS names, in lower case; the common name where there are no alternative names at all (RFC 6125, 6.4.4). */
  readonly names: readonly string[];
  /** `rsa`, `ec`, …: a context holds one certificate of each kind, and clients take what they can verify. */
  readonly keyKind: string;
}

/**
 * Reading a certificate takes a third of a millisecond, and plans repeat most of them. Throws what the parser throws.
 */
export function factsOf(pair: KeyPair): CertificateFacts {
  const facts = factsByPair.get(pair) ?? certificateFacts(pair.cert);
  factsByPair.set(pair, facts);
  return facts;
}

const factsByPair = new WeakMap<KeyPair, CertificateFacts>();

/** Reads a certificate (PEM; the first of a chain). Throws what the parser throws. */
export function certificateFacts(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const { subjectAltName, publicKey } = certificate;
  const names =
    subjectAltName === undefined
      ? [...subjectOf(certificate).matchAll(commonName)].map(([, name]) => name)
      : [...subjectAltName.matchAll(alternativeName)].map(([, kind, name]) => (kind === 'DNS' ? name : ''));
  return {
    names: names
      .filter((name) => name !== undefined && isUsable.test(name))
      .map((name) => `${name}`.toLowerCase()),
    keyKind: publicKey.asymmetricKeyType ?? 'unknown',
  };
}

const commonName = /^CN=(.*)$/gm;
/** A kind and a value, which Node puts in quotes where it holds anything odd. */
const alternativeName = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;
/** A name with at most one wildcard, which stands for the whole first label. */
const isUsable = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/;

/** Which of a listener's certificates serve a name: for each kind of key, the first that is for it. By index. */
export class CertificateTable {
  /** Those shown where no name fits: the first, and of other kinds those that are for the same. */
  readonly byDefault: readonly number[];
  readonly #byName = new Map<string, number[]>();

  constructor(certificates: readonly CertificateFacts[]) {
    for (const [index, { names, keyKind }] of certificates.entries()) {
      for (const name of new Set(names)) {
        const known = this.#byName.get(name) ?? [];
        if (known.every((other) => certificates[other]?.keyKind !== keyKind)) known.push(index);
        this.#byName.set(name, known);
      }
    }
    const [first] = certificates;
    const [name] = first?.names ?? [];
    const nameless = certificates.flatMap(({ names, keyKind }, index) =>
      names.length === 0 && (index === 0 || keyKind !== first?.keyKind) ? [index] : [],
    );
    this.byDefault = name === undefined ? nameless : (this.#byName.get(name) ?? []);
  }

  /** Those that are for exactly this name, which may be a wildcard. */
  servedBy(name: string): readonly number[] {
    return this.#byName.get(name) ?? [];
  }

  /**
   * The exact name comes before the wildcard, and a wildcard stands for one label (RFC 6125, 6.4.3). Some clients
   * send the dot that ends a name, although they must not (RFC 6066, 3).
   */
  find(name: string): readonly number[] {
    const plain = name.toLowerCase().replace(/\.$/, '');
    const exact = this.#byName.get(plain);
    const firstDot = plain.indexOf('.');
    if (exact !== undefined || firstDot < 1) return exact ?? this.byDefault;
    return this.#byName.get(`*${plain.slice(firstDot)}`) ?? this.byDefault;
  }
}
