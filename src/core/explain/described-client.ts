/**
 * What a described client sends to each gate that asks: its bytes, or a stand-in for bytes of which only facts are
 * given.
 */
import { mayAnnounce } from '../admission/proxy-header.ts';
import type { TlsSession } from '../contract.ts';
import type { Endpoint } from '../net/endpoint.ts';
import type { ListenerPlan } from '../plan.ts';
import type { Protocol } from '../wire/protocol.ts';
import type { ProxyParseResult } from '../wire/proxy-header.ts';
import { ProxyHeaderParser } from '../wire/proxy-reading.ts';
import {
  type FirstBytesReader,
  nothingYet,
  type ObservedFacts,
  protocolOf,
  Sniffer,
  settled,
} from '../wire/sniffer.ts';
import type { Inquiry, Wait } from './explanation.ts';

export class DescribedClient {
  /** What its first bytes are, where a header of its peer is believed. */
  readonly header: ProxyParseResult | undefined;
  readonly #inquiry: Inquiry;
  readonly #endsTls: boolean;
  /** The bytes after the handshake, where the listener terminates TLS; otherwise all after a PROXY header. */
  readonly #plain: Uint8Array;
  readonly #hello: Uint8Array | undefined;
  #unread: Uint8Array;

  constructor({ policy }: ListenerPlan, peer: Endpoint, inquiry: Inquiry) {
    const { bytes = noBytes } = inquiry;
    this.#inquiry = inquiry;
    this.#endsTls = policy.tls !== 'off';
    this.header = mayAnnounce(policy, peer) ? new ProxyHeaderParser().read(bytes) : undefined;
    const headerBytes = this.header?.state === 'complete' ? this.header.length : 0;
    const payload = bytes.subarray(headerBytes);
    this.#hello = this.#endsTls && protocolOf(factsOf(payload)) === 'tls' ? payload : undefined;
    this.#plain = this.#hello === undefined ? orStandIn(payload, this.#told) : noBytes;
    this.#unread =
      this.#endsTls && headerBytes > 0 ? bytes.subarray(0, headerBytes) : orStandIn(bytes, inquiry);
  }

  bytesFor(gate: Wait['for']): Uint8Array {
    if (!this.#endsTls || gate === 'proxy-header') return this.#unread;
    return gate === 'handshake' ? (this.#hello ?? bareHello) : this.#plain;
  }

  discard(bytes: number): void {
    this.#unread = this.#unread.subarray(bytes);
  }

  /** The result of the handshake, or why it fails. */
  handshake({ policy: { tls } }: ListenerPlan): TlsSession | string {
    const { sni, alpn } = this.settled(tls);
    if (sni === undefined) return 'The hello never comes';
    const isOffered = tls !== 'off' && tls.alpn.length > 0 && (this.#offered.alpn?.length ?? 0) > 0;
    // RFC 7301, 3.2: a server that shares none of the protocols ends the handshake.
    if (isOffered && alpn === null) return 'No protocol is shared';
    return { version: 'TLSv1.3', alpn: alpn?.[0], serverName: sni ?? undefined, clientSubject: undefined };
  }

  /** The name and the protocol, as far as they are known. */
  settled(tls: ListenerPlan['policy']['tls']): NamedByHello {
    const { sni, alpn: offers } = this.#offered;
    const agreed = tls === 'off' ? undefined : tls.alpn.find((one) => offers?.includes(one));
    if (agreed !== undefined) return { sni, alpn: [agreed] };
    return { sni, alpn: offers === undefined ? undefined : null };
  }

  /** Whether it has begun to say what routes look at. */
  get hasSpoken(): boolean {
    return (this.#endsTls ? this.#plain : this.#unread).length > 0;
  }

  readonly readFirstBytes = (): FirstBytesReader =>
    new DescribedFactsReader(this.#told, this.#plain.length > 0);

  /** The facts in all of it, whether a gate asks or not. */
  facts(maxBytes: number, tls: NamedByHello | undefined): ObservedFacts {
    const reader = this.readFirstBytes();
    if (this.#plain.length > 0) reader.read(this.#plain.subarray(0, maxBytes));
    if (this.#plain.length >= maxBytes) reader.cut();
    return { ...reader.facts, ...tls };
  }

  /** The offers of the hello, undefined where it cannot be read. Described ones override them. */
  get #offered(): NamedByHello {
    const { sni, alpn } = this.#inquiry;
    const hello = this.#hello === undefined ? settled(nothingYet) : factsOf(this.#hello);
    return { sni: sni ?? hello.sni, alpn: alpn ?? hello.alpn };
  }

  /** Where the handshake ends here, its name and protocols are not part of what is said inside it. */
  get #told(): Inquiry {
    return this.#endsTls ? { ...this.#inquiry, sni: undefined, alpn: undefined } : this.#inquiry;
  }
}

type NamedByHello = Pick<ObservedFacts, 'sni' | 'alpn'>;

/** Described facts override those that are read; where nothing is read, facts that are not described are absent. */
class DescribedFactsReader implements FirstBytesReader {
  readonly #told: Inquiry;
  readonly #sniffer = new Sniffer();
  readonly #hasSpoken: boolean;

  constructor(told: Inquiry, hasSpoken: boolean) {
    this.#told = told;
    this.#hasSpoken = hasSpoken;
  }

  get facts(): ObservedFacts {
    const { sni, alpn, httpHost, protocol, bytes } = this.#told;
    const isRead = bytes !== undefined && bytes.length > 0;
    const implied: Protocol | undefined =
      sni !== undefined || alpn !== undefined ? 'tls' : httpHost === undefined ? undefined : 'http';
    const spoken = protocol ?? (isRead ? undefined : implied);
    const seen = isRead || !this.#hasSpoken ? this.#sniffer.facts : settled(nothingYet);
    return {
      ...seen,
      ...(spoken !== undefined && { protocols: [spoken] }),
      ...(sni !== undefined && { sni }),
      ...(alpn !== undefined && { alpn: alpn.length === 0 ? null : alpn }),
      ...(httpHost !== undefined && { httpHost }),
    };
  }

  get protocol(): Protocol | undefined {
    return protocolOf(this.facts);
  }

  read(bytes: Uint8Array): boolean {
    return this.#sniffer.read(bytes) || bytes.length > 0;
  }

  cut(): void {
    this.#sniffer.cut();
  }

  end(): void {
    this.#sniffer.end();
  }
}

const noBytes = new Uint8Array(0);

/** Where facts are described and no bytes are given: one byte that begins no protocol. */
function orStandIn(bytes: Uint8Array, { sni, alpn, httpHost, protocol }: Inquiry): Uint8Array {
  const isTold = [sni, alpn, httpHost, protocol].some((fact) => fact !== undefined);
  return bytes.length === 0 && isTold ? Uint8Array.of(0) : bytes;
}

function factsOf(bytes: Uint8Array): ObservedFacts {
  const sniffer = new Sniffer();
  sniffer.read(bytes);
  return sniffer.facts;
}

/** A hello of TLS 1.2 with one cipher suite and no extension (RFC 5246, 7.4.1.2). */
const bareHello = Uint8Array.of(
  ...[0x16, 3, 1, 0, 45, 1, 0, 0, 41, 3, 3],
  ...new Uint8Array(32),
  ...[0, 0, 2, 0x13, 1, 1, 0],
);
