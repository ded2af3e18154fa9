/** What a reload adds to a configuration, removes from it and changes in it: by name, for people. */
import { X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { KeyPair } from '../core/plan.ts';
import { formatTarget } from './addresses.ts';
import type { Config, ListenerConfig, PoolConfig } from './config.ts';

/** Leaves out the kinds of change of which there is none. */
export interface Changes {
  readonly added?: ChangedNames;
  readonly removed?: ChangedNames;
  readonly changed?: ChangedNames & {
    /** Keys of the file's top level that are no listeners and pools. */
    readonly settings?: readonly string[];
  };
}

export interface ChangedNames {
  readonly listeners?: readonly string[];
  readonly pools?: readonly string[];
  /** `app/10.0.0.1:9000`, as the file has it. Those of a pool that came or went as a whole are not listed. */
  readonly backends?: readonly string[];
  /** `web/example.com until 2027-01-31`: the listener or pool, the names it is for, and its last day. */
  readonly certificates?: readonly string[];
}

export function changesBetween(before: Config, after: Config): Changes {
  const difference = {
    listeners: compare(listenersOf(before), listenersOf(after)),
    pools: compare(poolsOf(before), poolsOf(after)),
    backends: compare(backendsOf(before, after), backendsOf(after, before)),
    certificates: compareCertificates(before, after),
  };
  const names = (kind: keyof Difference): ChangedNames =>
    nonEmpty(Object.fromEntries(Object.entries(difference).map(([what, found]) => [what, found[kind]])));
  const settings = settingKeys.filter((key) => !isDeepStrictEqual(before[key], after[key]));
  return nonEmpty({
    added: names('added'),
    removed: names('removed'),
    changed: { ...names('changed'), ...nonEmpty({ settings }) },
  });
}

const settingKeys = ['workers', 'driver', 'memory', 'admin', 'log', 'shutdown', 'resolver'] as const;

interface Difference {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

type Named = ReadonlyMap<string, unknown>;

function compare(before: Named, after: Named): Difference {
  return {
    added: [...after.keys()].filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed: [...after].flatMap(([name, value]) =>
      before.has(name) && !isDeepStrictEqual(before.get(name), value) ? [name] : [],
    ),
  };
}

/** Certificates are compared by themselves. */
function listenersOf({ listeners }: Config): Named {
  return new Map(
    listeners.map(({ policy: { tls, ...policy }, ...listener }) => [
      listener.name,
      [listener, policy, tls === 'off' ? tls : { ...tls, certificates: undefined }],
    ]),
  );
}

/** Backends are compared by themselves, and so is the certificate that they are shown. */
function poolsOf({ pools }: Config): Named {
  return new Map(
    pools.map(({ backends: _, policy: { connect, ...policy }, ...pool }) => {
      const tls = connect.tls === 'off' ? connect.tls : { ...connect.tls, cert: undefined, key: undefined };
      return [pool.name, [pool, policy, { ...connect, tls }]];
    }),
  );
}

/** The backends of pools that both have. */
function backendsOf({ pools }: Config, other: Config): Named {
  const known = new Set(other.pools.map(({ name }) => name));
  const all = pools.filter(({ name }) => known.has(name));
  return new Map(
    all.flatMap(({ name, backends }) =>
      backends.map((backend) => [`${name}/${formatTarget(backend.target)}`, backend] as const),
    ),
  );
}

/** One that takes the place of another for the same names has changed. */
function compareCertificates(before: Config, after: Config): Difference {
  const [old, fresh] = [certificatesOf(before), certificatesOf(after)];
  const [gone, come] = [described(old, fresh), described(fresh, old)];
  const texts = (of: Described, isMeant: (key: string) => boolean): string[] =>
    [...of].flatMap(([key, text]) => (isMeant(key) ? [text] : []));
  return {
    added: texts(come, (key) => !gone.has(key)),
    removed: texts(gone, (key) => !come.has(key)),
    changed: texts(come, (key) => gone.has(key)),
  };
}

interface Certificate {
  readonly owner: string;
  readonly pair: KeyPair;
}

/** The certificates by the JSON of all their fields. */
type CertificatesByContent = ReadonlyMap<string, Certificate>;

function certificatesOf({ listeners, pools }: Config): CertificatesByContent {
  const all = [...listeners.flatMap(ofListener), ...pools.flatMap(ofPool)];
  return new Map(all.map((one) => [JSON.stringify(one), one]));
}

function ofListener({ name: owner, policy: { tls } }: ListenerConfig): readonly Certificate[] {
  return tls === 'off' ? [] : tls.certificates.map((pair) => ({ owner, pair }));
}

function ofPool({ name: owner, policy }: PoolConfig): readonly Certificate[] {
  const { tls } = policy.connect;
  if (tls === 'off' || tls.cert === undefined || tls.key === undefined) return [];
  return [{ owner, pair: { cert: tls.cert, key: tls.key } }];
}

/** In words, by owner, names and kind of key. */
type Described = ReadonlyMap<string, string>;

/** The certificates that are not among the others. */
function described(certificates: CertificatesByContent, others: CertificatesByContent): Described {
  const own = [...certificates].filter(([content]) => !others.has(content));
  return new Map(
    own.map(([, { owner, pair }]) => {
      const { subject, subjectAltName, publicKey, validTo } = new X509Certificate(pair.cert);
      const names = (subjectAltName ?? subject).replaceAll('DNS:', '').replaceAll('\n', ', ');
      const lastDay = new Date(validTo).toISOString().slice(0, 10);
      return [`${owner}/${names} ${publicKey.asymmetricKeyType}`, `${owner}/${names} until ${lastDay}`];
    }),
  );
}

/** Leaves out empty lists and objects. */
function nonEmpty<T extends object>(of: T): Partial<T> {
  const isThere = (value: unknown): boolean =>
    Array.isArray(value) ? value.length > 0 : Object.keys(Object(value)).length > 0;
  // What is left has the types that it had.
  return Object.fromEntries(Object.entries(of).filter(([, value]) => isThere(value))) as Partial<T>;
}
