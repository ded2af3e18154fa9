/**
 * From a client's first byte to the end of its TLS handshake:
 *
 *     asked ── a ClientHello ─▶ handshaking ── tls-established ─▶ passes
 *       │ ▲
 *       │ └ GSSENCRequest: answered with N, once
 *       └── SSLRequest: answered with S, once ─▶ asked again
 *
 * Anything else is refused. So are bytes behind an SSLRequest that the client sent before it was answered: they would
 * be plain ones that claim to have come encrypted (CVE-2021-23222).
 */
import type { TlsSession } from '../contract.ts';
import type { ListenerTls } from '../plan.ts';
import { ClientHelloReader } from '../wire/client-hello.ts';
import { type Gate, type Refusal, refusal, type Verdict, type WaitingClient } from './gate.ts';
import { noBytes, type PendingClient } from './pending-client.ts';

export const tls: Gate = {
  appliesTo: ({ policy }) => policy.tls !== 'off',
  enter(client, nowMs) {
    const { policy } = client.listener.plan;
    if (policy.tls === 'off') return 'passes';
    const handshake = new AwaitedHandshake(client, policy.tls, nowMs + policy.tls.handshakeTimeoutMs);
    const verdict = handshake.received(client.held);
    return typeof verdict === 'string' ? handshake : verdict;
  },
};

class AwaitedHandshake implements WaitingClient {
  readonly waitsFor = 'handshake';
  readonly dueMs: number;
  readonly #client: PendingClient;
  readonly #tls: ListenerTls;
  readonly #hello = new ClientHelloReader();
  #isAgreed = false;
  #isGssRefused = false;
  #isHandshaking = false;

  constructor(client: PendingClient, tls: ListenerTls, dueMs: number) {
    this.#client = client;
    this.#tls = tls;
    this.dueMs = dueMs;
  }

  received(bytes: Uint8Array): 'waits' | Refusal {
    const client = this.#client;
    switch (firstRequest(bytes)) {
      case 'more':
        return client.inspect();
      case 'tls':
        return this.#readHello(bytes);
      case 'gssenc-request':
        if (this.#isAgreed || this.#isGssRefused)
          return refuseHandshake('The client asks again for encryption');
        this.#isGssRefused = true;
        this.#answer('N');
        return this.received(client.held);
      case 'ssl-request':
        if (this.#isAgreed) return refuseHandshake('The client asks again for encryption');
        if (bytes.length > postgresRequestBytes) return refuseHandshake('Bytes came behind an SSLRequest');
        this.#isAgreed = true;
        this.#answer('S');
        return client.inspect();
      case 'neither':
        return refuseHandshake('The first bytes are no TLS handshake');
    }
  }

  finished(): Verdict {
    return refuseHandshake('The client has finished before its hello was complete');
  }

  expired(): Verdict {
    return refusal('tls-failed', 'The handshake took too long');
  }

  tlsEstablished(tls: TlsSession): Verdict {
    this.#client.tls = tls;
    this.#client.held = noBytes;
    this.#client.hasSpoken = false;
    return 'passes';
  }

  tlsFailed(detail: string): Verdict {
    return refuseHandshake(detail);
  }

  #readHello(bytes: Uint8Array): 'waits' {
    const client = this.#client;
    if (this.#isHandshaking) return 'waits';
    const hello = this.#hello.read(bytes);
    if (hello.state === 'incomplete' && bytes.length < helloBytesMax) return client.inspect();
    client.serverName = hello.state === 'complete' ? hello.sni : undefined;
    client.isNameUnclear = hello.state !== 'complete';
    this.#isHandshaking = true;
    const { link, serverName } = client;
    client.context.command({ kind: 'start-tls', link, as: 'server', tls: this.#tls, serverName });
    return 'waits';
  }

  #answer(word: 'S' | 'N'): void {
    const client = this.#client;
    client.context.command({ kind: 'send', link: client.link, bytes: Uint8Array.of(word.charCodeAt(0)) });
    client.discard(postgresRequestBytes);
  }
}

/** Behind what was sent to the client FIN arrives, and RST might overtake it. */
function refuseHandshake(detail: string): Refusal {
  return { reason: 'tls-failed', detail, with: 'fin' };
}

/**
 * What a client of a listener with TLS asks for with its first bytes: TLS at once, or as postgres clients do, by a
 * packet of eight bytes that asks whether encryption is wanted (PostgreSQL's "Frontend/Backend Protocol", SSLRequest
 * and GSSENCRequest).
 */
type FirstRequest =
  /** What has come so far can still become one of the others. */
  'more' | 'tls' | 'ssl-request' | 'gssenc-request' | 'neither';

const postgresRequestBytes = 8;
/** What drivers can hold of a client. A longer hello is read by the TLS engine alone. */
const helloBytesMax = 64 * 1024;

export function firstRequest(bytes: Uint8Array): FirstRequest {
  if (bytes.length === 0) return 'more';
  if (bytes[0] === tlsHandshakeRecord) return 'tls';
  for (const { name, packet } of postgresRequests) {
    const seen = Math.min(bytes.length, packet.length);
    if (packet.every((byte, i) => i >= seen || byte === bytes[i])) {
      return seen === packet.length ? name : 'more';
    }
  }
  return 'neither';
}

/** The content type of a record with handshake messages (RFC 8446, B.1). */
const tlsHandshakeRecord = 0x16;

const postgresRequests = [
  { name: 'ssl-request', packet: [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f] },
  { name: 'gssenc-request', packet: [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30] },
] as const;
