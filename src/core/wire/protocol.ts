/** What a client can be seen to speak from its first bytes; `unknown` is everything else, silence included. */
export const protocols = ['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown'] as const;

export type Protocol = (typeof protocols)[number];

/** `mismatch` is what rules call `unknown`; until it is certain, any of `mayBe` and `unknown` are left. */
export type Detection =
  | { readonly state: 'incomplete'; readonly mayBe: readonly KnownProtocol[] }
  | { readonly state: 'mismatch' }
  | { readonly state: 'complete'; readonly protocol: KnownProtocol };

type KnownProtocol = Exclude<Protocol, 'unknown'>;

/** Judges the byte at `at`, all before it having been judged `incomplete` by the same matcher. */
export type ByteMatcher = (byte: number, at: number) => Detection;

export const mismatch: Detection = { state: 'mismatch' };
export const speaksSsh: Detection = { state: 'complete', protocol: 'ssh' };
export const speaksTls: Detection = { state: 'complete', protocol: 'tls' };
export const speaksHttp: Detection = { state: 'complete', protocol: 'http' };
export const speaksPostgres: Detection = { state: 'complete', protocol: 'postgres' };
export const speaksRedis: Detection = { state: 'complete', protocol: 'redis' };

export function mayBe(...protocols: readonly KnownProtocol[]): Detection {
  return { state: 'incomplete', mayBe: protocols };
}
