/** Which protocol a server chooses of those that a client offers (RFC 7301). OpenSSL calls back for that alone. */
import * as ssl from './constants.ts';
import type { Callbacks, OpenSsl } from './library.ts';

export class AlpnChoices {
  /** By the number that OpenSSL calls back with: lists in the order of preference. */
  readonly #lists: (readonly string[])[] = [];
  readonly #openSsl: OpenSsl;

  constructor(openSsl: OpenSsl) {
    this.#openSsl = openSsl;
  }

  /** Equal lists have one number. */
  numberOf(protocols: readonly string[]): number {
    const text = JSON.stringify(protocols);
    const known = this.#lists.findIndex((list) => JSON.stringify(list) === text);
    return known >= 0 ? known : this.#lists.push(protocols) - 1;
  }

  /** Without a common one, the client is refused. */
  readonly select: Callbacks['selectAlpn'] = (_, name, nameBytes, offered, offeredBytes, number) => {
    const list = new Uint8Array(offeredBytes);
    this.#openSsl.memcpyOut(list, offered, offeredBytes);
    const at = chosenAt(list, this.#lists[number] ?? []);
    if (at === undefined) return ssl.SSL_TLSEXT_ERR_ALERT_FATAL;
    // The name may stay where it is in what the client has sent: OpenSSL copies it right after.
    const address = new Uint8Array(new BigUint64Array([BigInt(offered + at)]).buffer);
    this.#openSsl.memcpyIn(name, address, address.length);
    this.#openSsl.memcpyIn(nameBytes, list.subarray(at - 1, at), 1);
    return ssl.SSL_TLSEXT_ERR_OK;
  };
}

/** Where the name lies in a list of names that each stand behind their length. */
function chosenAt(offered: Uint8Array, preferred: readonly string[]): number | undefined {
  const names = new Map<string, number>();
  for (let at = 0; at < offered.length; ) {
    const end = at + 1 + (offered[at] ?? 0);
    if (end <= offered.length)
      names.set(Buffer.from(offered.subarray(at + 1, end)).toString('latin1'), at + 1);
    at = end;
  }
  const chosen = preferred.find((name) => names.has(name));
  return chosen === undefined ? undefined : names.get(chosen);
}
