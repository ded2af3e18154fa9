/** The names that a certificate is for, and which certificate serves a name. */
import { X509Certificate } from 'node:crypto';

/**
 * The DNS names of a certificate (PEM; of a chain, the first), in lower case; its common name where it has no
 * alternative names at all (RFC 6125, 6.4.4). Throws what the parser throws.
 */
export function certificateNames(pem: string): readonly string[] {
  const { subject, subjectAltName } = new X509Certificate(pem);
  const names =
    subjectAltName === undefined
      ? [...subject.matchAll(commonName)].map(([, name]) => name)
      : [...subjectAltName.matchAll(alternativeName)].map(([, kind, name]) => (kind === 'DNS' ? name : ''));
  return names
    .filter((name) => name !== undefined && isUsable.test(name))
    .map((name) => `${name}`.toLowerCase());
}

const commonName = /^CN=(.*)$/gm;
/** A kind and a value, which Node puts in quotes where it holds anything odd. */
const alternativeName = /([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)(?:, |$)/g;
/** A name with at most one wildcard, which stands for the whole first label. */
const isUsable = /^(?:\*\.)?[\w-]+(?:\.[\w-]+)*$/;

/** What serves which names. Of two for the same name, the first. */
export class NameTable<T> {
  readonly #byName = new Map<string, T>();

  add(names: readonly string[], value: T): void {
    for (const name of names) if (!this.#byName.has(name)) this.#byName.set(name, value);
  }

  /** The exact name comes before the wildcard, and a wildcard stands for one label (RFC 6125, 6.4.3). */
  find(name: string): T | undefined {
    // Some clients send the dot that may end a full name, which no certificate has.
    const lowerCase = name.toLowerCase().replace(/\.$/, '');
    const exact = this.#byName.get(lowerCase);
    const firstDot = lowerCase.indexOf('.');
    if (exact !== undefined || firstDot < 1) return exact;
    return this.#byName.get(`*${lowerCase.slice(firstDot)}`);
  }
}
