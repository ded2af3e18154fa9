/** One end of a connection: an IP address and a port, or a unix socket, which has neither. */
import { type AddressWords, addressText, addressWords, networkWords } from '../addresses.ts';

/**
 * The address is kept as numbers, since limits, lists and balancers compare numbers; its text is made for whoever
 * writes it. An IPv4-mapped IPv6 address is an IPv4 one.
 */
export class Endpoint {
  /** The other end of a unix socket, which has no address. */
  static readonly unix = new Endpoint(undefined, 0);
  /** As `addressWords` gives them; undefined of a unix socket. */
  readonly words: AddressWords | undefined;
  /** 0 of a unix socket. */
  readonly port: number;
  /** Of a link-local address, the interface that it means something on. */
  readonly zone: string | undefined;
  #text: string | undefined;

  constructor(words: AddressWords | undefined, port: number, zone?: string) {
    this.words = words;
    this.port = port;
    this.zone = zone;
  }

  /** Undefined where the text is no IP address. */
  static parse(address: string, port: number): Endpoint | undefined {
    const words = addressWords(address);
    if (words === undefined) return undefined;
    const zone = address.indexOf('%');
    return new Endpoint(words, port, zone < 0 ? undefined : address.slice(zone + 1));
  }

  /** Canonical text (RFC 5952), an IPv4-mapped address as IPv4, a link-local one with its zone; `unix` of a unix socket. */
  get address(): string {
    this.#text ??= this.#write();
    return this.#text;
  }

  /** By what one client is told from others: the address, or of IPv6 the network of so many first bits. */
  network(ipv6Prefix: number): Endpoint {
    if (this.words === undefined) return this;
    const words = networkWords(this.words, ipv6Prefix);
    return words === this.words ? this : new Endpoint(words, 0);
  }

  #write(): string {
    if (this.words === undefined) return 'unix';
    const text = addressText(this.words);
    return this.zone === undefined ? text : `${text}%${this.zone}`;
  }
}
