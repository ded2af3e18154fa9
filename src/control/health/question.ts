/**
 * What a check asks of a backend, whole: where, over which kind of connection, and which answer passes. As long as that
 * stays the same, what is known of the backend holds, however often and patiently it is asked.
 */
import { isIP } from 'node:net';
import type { CheckConnection, HealthCheckConfig, ProbeHttp } from '../../config/config.ts';
import type { Address, BackendTls } from '../../core/plan.ts';

export interface Question {
  readonly address: Address;
  /** The check has a port of its own. */
  readonly isElsewhere: boolean;
  readonly proxyProtocol: CheckConnection['proxyProtocol'];
  readonly tls: QuestionTls | 'off';
  readonly asked: Asked;
}

/** `name` is what the server's certificate must be for. */
export interface QuestionTls {
  readonly name: string;
  readonly how: BackendTls;
}

export type Asked =
  /** For the connection, with TLS for its handshake too. */
  | { readonly type: 'connect' }
  | { readonly type: 'http'; readonly http: ProbeHttp & { readonly host: string } }
  | { readonly type: 'send-expect'; readonly send: string | undefined; readonly expect: string };

/**
 * The question to a backend. It is asked over a connection like those of sessions, unless the check has a port of its
 * own: what listens there is something else. A unix socket has no port, and is asked by its path.
 */
export function questionOf(
  { address: own, hostName }: { readonly address: Address; readonly hostName: string | undefined },
  { probe, port, connection, connectionElsewhere }: HealthCheckConfig,
): Question {
  const isElsewhere = port !== undefined && 'host' in own && own.port !== port;
  const address = isElsewhere ? { ...own, port } : own;
  const { proxyProtocol, tls } = isElsewhere ? connectionElsewhere : connection;
  return {
    address,
    isElsewhere,
    proxyProtocol,
    tls: tls === 'off' ? tls : { name: tls.servername ?? hostName ?? hostOf(address), how: tls },
    asked: askedBy(probe, address, hostName, tls !== 'off'),
  };
}

function askedBy(
  probe: HealthCheckConfig['probe'],
  address: Address,
  hostName: string | undefined,
  isSecure: boolean,
): Asked {
  switch (probe.type) {
    case 'tcp':
    case 'tls':
      return { type: 'connect' };
    case 'http':
    case 'https': {
      const host = probe.http.host ?? authority(address, hostName, isSecure ? 443 : 80);
      return { type: 'http', http: { ...probe.http, host } };
    }
    case 'send-expect':
      return probe;
  }
}

/** The Host header's value (RFC 9110, 7.2): the name as it was written, without the port that everyone expects. */
function authority(address: Address, hostName: string | undefined, usualPort: number): string {
  if ('path' in address) return 'localhost';
  // A zone means something on this machine alone.
  const host = hostName ?? address.host.replace(/%.*/, '');
  const written = isIP(host) === 6 ? `[${host}]` : host;
  return address.port === usualPort ? written : `${written}:${address.port}`;
}

/** A unix socket is served by this machine. */
function hostOf(address: Address): string {
  return 'path' in address ? 'localhost' : address.host;
}
