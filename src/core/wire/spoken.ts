import type { Finding } from './finding.ts';
import type { Protocol } from './protocol.ts';

/** What a client speaks; `not-this` is what rules call `unknown`. */
export type Spoken = Finding<{ readonly protocol: Exclude<Protocol, 'unknown'> }>;

/** Judges the byte at `at`, all before it having been judged `need-more` by the same judge. */
export type Judge = (byte: number, at: number) => Spoken;

export const needMore: Spoken = { state: 'need-more' };
export const notThis: Spoken = { state: 'not-this' };
export const speaksSsh: Spoken = { state: 'found', protocol: 'ssh' };
export const speaksTls: Spoken = { state: 'found', protocol: 'tls' };
export const speaksHttp: Spoken = { state: 'found', protocol: 'http' };
export const speaksPostgres: Spoken = { state: 'found', protocol: 'postgres' };
export const speaksRedis: Spoken = { state: 'found', protocol: 'redis' };

export function needMoreIf(fits: boolean): Spoken {
  return fits ? needMore : notThis;
}
