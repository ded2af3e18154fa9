/** What real clients sent first, and what there is to be found in it. */
import { readFileSync } from 'node:fs';
import type { Protocol } from '../../../src/core/wire/protocol.ts';

export interface Capture {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly protocol: Protocol;
  readonly sni: string | null;
  readonly alpn: readonly string[] | null;
  readonly httpHost: string | null;
}

const nothing = { sni: null, alpn: null, httpHost: null };
const api = 'api.example.com';
const h2 = ['h2', 'http/1.1'];

export const captures: readonly Capture[] = [
  capture('tls-openssl-3.0', { protocol: 'tls', sni: api, alpn: h2, httpHost: null }),
  capture('tls-openssl-3.0-bare-tls1.2', { ...nothing, protocol: 'tls' }),
  capture('tls-node-20', { protocol: 'tls', sni: api, alpn: h2, httpHost: null }),
  capture('tls-node-26-post-quantum', { protocol: 'tls', sni: api, alpn: h2, httpHost: null }),
  capture('tls-curl-7.88', { protocol: 'tls', sni: api, alpn: h2, httpHost: null }),
  capture('http-curl-7.88', { ...nothing, protocol: 'http', httpHost: api }),
  capture('http-curl-7.88-proxied', { ...nothing, protocol: 'http', httpHost: api }),
  capture('http-curl-7.88-connect', { ...nothing, protocol: 'http', httpHost: api }),
  capture('http2-curl-7.88', { ...nothing, protocol: 'http' }),
  capture('ssh-openssh-9.2', { ...nothing, protocol: 'ssh' }),
  capture('postgres-psql-15-ssl', { ...nothing, protocol: 'postgres' }),
  capture('postgres-psql-15-startup', { ...nothing, protocol: 'postgres' }),
];

function capture(name: string, facts: Omit<Capture, 'name' | 'bytes'>): Capture {
  const hex = readFileSync(new URL(`captures/${name}.hex`, import.meta.url), 'utf8');
  return { name, bytes: new Uint8Array(Buffer.from(hex.replaceAll('\n', ''), 'hex')), ...facts };
}
