/** TLS to backends: whom they must prove to be, and what the proxy shows of itself. */
import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import type { BackendTls } from '../../../core/plan.ts';
import type { StartTls } from '../engine.ts';
import { PeerLooks } from '../peer-looks.ts';
import { strength } from '../strength.ts';
import type { TlsSide } from './handshake.ts';

/** The backends of one driver: keys and authorities are read once, and forgotten with their plan. */
export class Originations {
  readonly #contexts = new WeakMap<BackendTls, tls.SecureContext>();
  readonly #looks = new PeerLooks();

  /** Undefined where the keys and certificates are none. */
  of({ tls, serverName }: Extract<StartTls, { readonly as: 'client' }>): TlsSide | undefined {
    const secureContext = this.#context(tls);
    return secureContext && new Origination(tls, serverName, secureContext, this.#looks);
  }

  #context(backend: BackendTls): tls.SecureContext | undefined {
    const known = this.#contexts.get(backend);
    if (known !== undefined) return known;
    try {
      const { ca, cert, key } = backend;
      const made = tls.createSecureContext({ ...strength, ca, cert, key });
      this.#contexts.set(backend, made);
      return made;
    } catch {
      return undefined;
    }
  }
}

class Origination implements TlsSide {
  readonly #options: tls.ConnectionOptions;
  readonly #looks: PeerLooks;

  constructor(
    { verify }: BackendTls,
    serverName: string,
    secureContext: tls.SecureContext,
    looks: PeerLooks,
  ) {
    this.#looks = looks;
    this.#options = {
      secureContext,
      // An address is no name that could be sent (RFC 6066, 3), but certificates can be for one.
      ...(isIP(serverName) === 0 && { servername: serverName }),
      rejectUnauthorized: verify,
      checkServerIdentity: (_, certificate) => tls.checkServerIdentity(serverName, certificate),
    };
  }

  open(transport: Socket): tls.TLSSocket {
    return tls.connect({ ...this.#options, socket: transport });
  }

  looksAtPeer({ remoteAddress, remotePort }: Socket): boolean {
    // A unix socket has neither: all of them count as one.
    return this.#looks.isDue(`${remoteAddress} ${remotePort}`, performance.now());
  }

  /** `secureConnect` comes only from a backend that is who it must be. */
  objectionTo(): undefined {}

  clientSubject(): undefined {}
}
