import { isIP, type Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import type { ProbeHttp, ProbeTls } from '../../../config/config.ts';
import type { Address } from '../../../core/contract.ts';
import { overTcp, overTls, type ProbeAddress } from './connection.ts';

/**
 * Passes when the response's status is among the expected. Redirects are not followed: a 301 is a 301. The
 * body is read to its end or to a bound, and thrown away; one that breaks off fails the probe.
 */
export async function httpProbe(
  address: ProbeAddress,
  { http }: { readonly http: ProbeHttp },
  signal: AbortSignal,
): Promise<void> {
  await overTcp(address, signal, (socket) => exchange(socket, address, http, signal));
}

/** Where no name is given for the TLS handshake, it asks for the one in the Host header. */
export async function httpsProbe(
  address: ProbeAddress,
  { http, tls }: { readonly http: ProbeHttp; readonly tls: ProbeTls },
  signal: AbortSignal,
): Promise<void> {
  const servername = tls.servername ?? nameIn(http.host);
  await overTls(address, { ...tls, servername }, signal, (socket) => exchange(socket, address, http, signal));
}

/**
 * One request on a connection that is ours already: undici would keep one open, and a listener that has died
 * meanwhile would not be noticed. The probe's signal is the only timeout.
 */
async function exchange(
  socket: Socket,
  address: Address,
  http: ProbeHttp,
  signal: AbortSignal,
): Promise<void> {
  const client = new Client(originOf(address), {
    // undici does not notice a connection that stands before its connector has returned.
    connect: (_options, connected) => queueMicrotask(() => connected(null, socket)),
    pipelining: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    const { statusCode, body } = await client.request({
      method: http.method,
      path: http.path,
      headers: http.host === undefined ? {} : { host: http.host },
      signal,
    });
    // A body that nobody reads is told so when the client is destroyed.
    body.on('error', () => {});
    if (!http.expectStatus.some(({ from, to }) => statusCode >= from && statusCode <= to)) {
      throw new Error(`Expected status ${rangesText(http.expectStatus)}, found ${statusCode}`);
    }
    await readSome(body);
  } finally {
    await client.destroy();
  }
}

const maxBodyBytes = 64 * 1024;

async function readSome(body: Dispatcher.ResponseData['body']): Promise<void> {
  let bytes = 0;
  for await (const chunk of body) {
    // undici's bodies are byte streams: without an encoding their chunks are Buffers.
    bytes += (chunk as Buffer).length;
    if (bytes > maxBodyBytes) return;
  }
}

/** Scheme, host and port as undici wants them; only the Host header comes of it. A zone is no part of a URL. */
function originOf(address: Address): string {
  if ('path' in address) return 'http://localhost';
  const host = address.host.replace(/%.*/, '');
  return `http://${isIP(host) === 6 ? `[${host}]` : host}:${address.port}`;
}

/** The name in `name` or `name:port`; undefined where it is an IP address, which TLS names are not. */
function nameIn(host: string | undefined): string | undefined {
  const name = host?.replace(/:\d+$/, '');
  return name === undefined || name.includes(':') || isIP(name) !== 0 ? undefined : name;
}

function rangesText(ranges: ProbeHttp['expectStatus']): string {
  return ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(' or ');
}
