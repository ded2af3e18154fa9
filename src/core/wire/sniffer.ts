/** What can be told of a client from its first bytes: the facts that rules ask for. */
import { ClientHelloReader } from './client-hello.ts';
import { FirstBytes } from './first-bytes.ts';
import { HttpHeadReader } from './http.ts';
import type { Protocol } from './protocol.ts';

/** `undefined`: not known yet. `null`: known to be absent. */
export type Fact<T> = T | null | undefined;

/**
 * Learns facts while bytes come, each as soon as it is certain; a fact once known never changes. What only
 * other protocols have is absent as soon as the protocol is known, and a hello or head that is malformed has
 * nothing.
 */
export class Sniffer {
  readonly #firstBytes = new FirstBytes();
  readonly #hello = new ClientHelloReader();
  readonly #httpHead = new HttpHeadReader();
  #protocol: Protocol | undefined;
  #sni: Fact<string>;
  #alpn: Fact<readonly string[]>;
  #httpHost: Fact<string>;

  /** `undefined` is not known yet; what never becomes known is `unknown` in the end. */
  get protocol(): Protocol | undefined {
    return this.#protocol;
  }

  /** The server name of a TLS hello, in lower case, without a dot at its end. */
  get sni(): Fact<string> {
    return this.#sni;
  }

  /** What a TLS hello offers to speak, in its order; never empty. */
  get alpn(): Fact<readonly string[]> {
    return this.#alpn;
  }

  /** Of HTTP/1, in lower case, without port; known at the end of the head. HTTP/2 has none. */
  get httpHost(): Fact<string> {
    return this.#httpHost;
  }

  /** Nothing more can be learned. */
  get isDone(): boolean {
    const { protocol, sni, alpn, httpHost } = this;
    return protocol !== undefined && sni !== undefined && alpn !== undefined && httpHost !== undefined;
  }

  /** Takes all bytes from the first one on, again whenever there are more. */
  read(bytes: Uint8Array): void {
    if (this.#protocol === undefined) this.#readProtocol(bytes);
    if (this.#protocol === 'tls' && this.#sni === undefined) this.#readHello(bytes);
    if (this.#protocol === 'http' && this.#httpHost === undefined) this.#readHttpHead(bytes);
  }

  /** No more bytes will come, or no more will be waited for: what is not known now is absent. */
  finish(): void {
    this.#protocol ??= 'unknown';
    this.#sni ??= null;
    this.#alpn ??= null;
    this.#httpHost ??= null;
  }

  #readProtocol(bytes: Uint8Array): void {
    const spoken = this.#firstBytes.read(bytes);
    if (spoken.state === 'need-more') return;
    this.#protocol = spoken.state === 'found' ? spoken.protocol : 'unknown';
    if (this.#protocol !== 'http') this.#httpHost = null;
    if (this.#protocol === 'tls') return;
    this.#sni = null;
    this.#alpn = null;
  }

  #readHello(bytes: Uint8Array): void {
    const hello = this.#hello.read(bytes);
    if (hello.state === 'need-more') return;
    const offersNothing = hello.state === 'not-this' || hello.alpn.length === 0;
    this.#sni = hello.state === 'found' ? (hello.sni ?? null) : null;
    this.#alpn = offersNothing ? null : hello.alpn;
  }

  #readHttpHead(bytes: Uint8Array): void {
    const head = this.#httpHead.read(bytes);
    if (head.state === 'need-more') return;
    this.#httpHost = head.state === 'found' ? (head.host ?? null) : null;
  }
}
