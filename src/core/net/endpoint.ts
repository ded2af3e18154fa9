/** One end of a connection: an IP address and a port, or a unix socket, which has neither. */
import { type AddressWords, addressText, addressWords, isIpv4, networkWords } from '../addresses.ts';

/**
 * The address is kept as numbers, since limits, lists and balancers compare numbers; its text is made for whoever
 * writes it. An IPv4-mapped IPv6 address is an IPv4 one, which takes 64 bytes: each open session keeps its client's.
 */
export class Endpoint {
  /** The other end of a unix socket, which has no address. */
  static readonly unix = new Endpoint(undefined, 0);
  /** 0 of a unix socket. */
  readonly port: number;
  /** The interface on which a link-local address means something. */
  readonly zone: string | undefined;
  /** The last word of the address, and those before it. */
  readonly lastWord: number;
  readonly firstWords: readonly number[] | undefined;
  #text: string | undefined;

  constructor(words: AddressWords | undefined, port: number, zone?: string) {
    this.port = port;
    this.zone = zone;
    this.lastWord = words === undefined ? 0 : words[3];
    this.firstWords = words === undefined || !isIpv4(words) ? words?.slice(0, 3) : firstOfIpv4;
  }

  /** Undefined where the text is no IP address. */
  static parse(address: string, port: number): Endpoint | undefined {
    const words = addressWords(address);
    if (words === undefined) return undefined;
    const zone = address.indexOf('%');
    return new Endpoint(words, port, zone < 0 ? undefined : address.slice(zone + 1));
  }

  /** As `addressWords` gives them; undefined of a unix socket. */
  get words(): AddressWords | undefined {
    if (this.firstWords === undefined) return undefined;
    const [a = 0, b = 0, c = 0] = this.firstWords;
    return [a, b, c, this.lastWord];
  }

  /**
   * Canonical text (RFC 5952), an IPv4-mapped address as IPv4, a link-local one with its zone; `unix` of a unix socket.
   */
  get address(): string {
    this.#text ??= this.write();
    return this.#text;
  }

  /** By what one client is told from others: the address, or of IPv6 the network of so many first bits. */
  network(ipv6Prefix: number): Endpoint {
    const words = this.firstWords === firstOfIpv4 ? undefined : this.words;
    if (words === undefined) return this;
    const network = networkWords(words, ipv6Prefix);
    return network === words ? this : new Endpoint(network, 0);
  }

  /** Not a `#` method: that would be a hidden field of 8 bytes. */
  private write(): string {
    const { words } = this;
    if (words === undefined) return 'unix';
    const text = addressText(words);
    return this.zone === undefined ? text : `${text}%${this.zone}`;
  }
}

/** The first words of every IPv4 address (RFC 4291, 2.5.5.2). */
const firstOfIpv4: readonly number[] = [0, 0, 0xffff];
