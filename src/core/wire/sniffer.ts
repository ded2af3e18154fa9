/** What can be told of a client from its first bytes: the facts that rules ask for. */
import { ClientHelloReader } from './client-hello.ts';
import { HttpHeadReader } from './http.ts';
import { type Protocol, protocols } from './protocol.ts';
import { ProtocolDetector } from './protocol-detector.ts';

/** `undefined`: not known yet, or never. `null`: known to be absent. */
export type Fact<T> = T | null | undefined;

/** What routes ask about, besides the client's address. */
export interface ObservedFacts {
  /** All that it may still turn out to speak: one where that is certain. */
  readonly protocols: readonly Protocol[];
  /** The server name of a TLS hello, in lower case, without a dot at its end. */
  readonly sni: Fact<string>;
  /** What a TLS hello offers to speak, in its order; never empty. */
  readonly alpn: Fact<readonly string[]>;
  /** The host that HTTP/1 names, in lower case, without port; known at the end of the head. */
  readonly httpHost: Fact<string>;
  /** Nothing more will be learned of `sni` and `alpn`: the handshake is done, and what comes now is inside TLS. */
  readonly isHelloFinal: boolean;
  /** Nothing more will be learned: what is not known now stays undecided. */
  readonly isFinal: boolean;
}

/** Learns facts about a client while its first bytes come. */
export interface FirstBytesReader {
  readonly facts: ObservedFacts;
  readonly protocol: Protocol | undefined;
  read(bytes: Uint8Array): boolean;
  cut(): void;
  end(): void;
}

/**
 * Learns facts while bytes come, each as soon as it is certain; a fact once known never changes. What only
 * other protocols have is absent as soon as the protocol is ruled out. A hello or head that is malformed leaves
 * undecided what it names, as does HTTP/2, whose host is compressed.
 */
export class Sniffer implements FirstBytesReader {
  readonly #firstBytes = new ProtocolDetector();
  readonly #hello = new ClientHelloReader();
  readonly #httpHead = new HttpHeadReader();
  #facts: ObservedFacts = nothingYet;

  get facts(): ObservedFacts {
    return this.#facts;
  }

  /** `undefined` where it is not known yet, or will never be. */
  get protocol(): Protocol | undefined {
    return protocolOf(this.#facts);
  }

  /** Takes all bytes from the first one on, again whenever there are more. Returns whether they told anything. */
  read(bytes: Uint8Array): boolean {
    const before = this.#facts;
    if (!before.isFinal && this.protocol === undefined) this.#readProtocol(bytes);
    if (!this.#facts.isFinal && this.protocol === 'tls') this.#readHello(bytes);
    if (!this.#facts.isFinal && this.protocol === 'http') this.#readHttpHead(bytes);
    return this.#facts !== before;
  }

  /** No more bytes are looked at, though more may come. */
  cut(): void {
    this.#learn({ isFinal: true });
  }

  /** No more bytes will come: what is no protocol by now never becomes one. */
  end(): void {
    if (this.protocol === undefined) this.#facts = absent;
    else this.cut();
  }

  #readProtocol(bytes: Uint8Array): void {
    const spoken = this.#firstBytes.read(bytes);
    if (spoken.state === 'incomplete') {
      const left = spoken.mayBe.length + 1;
      if (left < this.#facts.protocols.length) this.#narrow([...spoken.mayBe, 'unknown']);
    } else this.#narrow([spoken.state === 'complete' ? spoken.protocol : 'unknown']);
  }

  #narrow(protocols: readonly Protocol[]): void {
    const mayBeTls = protocols.includes('tls');
    const mayBeHttp = protocols.includes('http');
    this.#learn({
      protocols,
      ...(!mayBeTls && { sni: null, alpn: null }),
      ...(!mayBeHttp && { httpHost: null }),
      isFinal: protocols.length === 1 && !mayBeTls && !mayBeHttp,
    });
  }

  #readHello(bytes: Uint8Array): void {
    const hello = this.#hello.read(bytes);
    if (hello.state === 'mismatch') this.cut();
    if (hello.state !== 'complete') return;
    const { sni = null, alpn } = hello;
    this.#learn({ sni, alpn: alpn.length === 0 ? null : alpn, isFinal: true });
  }

  #readHttpHead(bytes: Uint8Array): void {
    const head = this.#httpHead.read(bytes);
    if (head.state === 'mismatch' || (head.state === 'complete' && head.version === 2)) this.cut();
    else if (head.state === 'complete') this.#learn({ httpHost: head.host ?? null, isFinal: true });
  }

  #learn(more: Partial<ObservedFacts>): void {
    this.#facts = { ...this.#facts, ...more };
  }
}

/** The one protocol that is left. */
export function protocolOf({ protocols: [first, ...others] }: ObservedFacts): Protocol | undefined {
  return others.length === 0 ? first : undefined;
}

/** The facts with what is not known taken for absent. */
export function settled(facts: ObservedFacts): ObservedFacts {
  const { sni = null, alpn = null, httpHost = null } = facts;
  const protocols = [protocolOf(facts) ?? 'unknown'] as const;
  return { protocols, sni, alpn, httpHost, isHelloFinal: true, isFinal: true };
}

/** The facts with what will never be known taken for absent. */
export function settledWhereFinal(facts: ObservedFacts): ObservedFacts {
  if (facts.isFinal) return settled(facts);
  const { sni = null, alpn = null } = facts;
  return facts.isHelloFinal ? { ...facts, sni, alpn } : facts;
}

export const nothingYet: ObservedFacts = {
  protocols,
  sni: undefined,
  alpn: undefined,
  httpHost: undefined,
  isHelloFinal: false,
  isFinal: false,
};

const absent: ObservedFacts = settled(nothingYet);
