import type { Protocol } from './protocol.ts';

/** `not-this` is what rules call `unknown`; until it is certain, any of `mayBe` and `unknown` are left. */
export type Spoken =
  | { readonly state: 'need-more'; readonly mayBe: readonly KnownProtocol[] }
  | { readonly state: 'not-this' }
  | { readonly state: 'found'; readonly protocol: KnownProtocol };

type KnownProtocol = Exclude<Protocol, 'unknown'>;

/** Judges the byte at `at`, all before it having been judged `need-more` by the same judge. */
export type Judge = (byte: number, at: number) => Spoken;

export const notThis: Spoken = { state: 'not-this' };
export const speaksSsh: Spoken = { state: 'found', protocol: 'ssh' };
export const speaksTls: Spoken = { state: 'found', protocol: 'tls' };
export const speaksHttp: Spoken = { state: 'found', protocol: 'http' };
export const speaksPostgres: Spoken = { state: 'found', protocol: 'postgres' };
export const speaksRedis: Spoken = { state: 'found', protocol: 'redis' };

export function mayBe(...protocols: readonly KnownProtocol[]): Spoken {
  return { state: 'need-more', mayBe: protocols };
}
