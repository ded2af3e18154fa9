/** TLS to backends: whom they must prove to be, and what the proxy shows of itself. */
import { isIP, type Socket } from 'node:net';
import tls from 'node:tls';
import type { BackendTls } from '../../../core/plan.ts';
import type { DriverCommand } from '../../driver.ts';
import { type Read, readByEvent, speaksOver } from '../sockets.ts';
import { strength } from './strength.ts';

type Dial = Extract<DriverCommand, { readonly kind: 'dial' }>;

/** The backends of one driver: keys and authorities are read once, and forgotten with their plan. */
export class Originations {
  readonly #contexts = new WeakMap<BackendTls, tls.SecureContext>();

  /**
   * Sends the preamble and begins the handshake on a connection that is there. `secureConnect` or `error` of the
   * socket tells the outcome: the former only for a backend that is who it must be. What the backend then sends
   * goes to `read`. Undefined where no TLS is wanted, or its keys and certificates are none.
   */
  begin(transport: Socket, dial: Dial, read: Read): tls.TLSSocket | undefined {
    const secureContext = dial.tls && this.#context(dial.tls);
    if (dial.tls === undefined || secureContext === undefined) return undefined;
    if (dial.preamble !== undefined) transport.write(dial.preamble);
    const name = dial.tls.servername ?? dial.hostName ?? addressAsName(dial);
    const backend = tls.connect({
      socket: transport,
      secureContext,
      // An address is no name that could be sent (RFC 6066, 3), but certificates can be for one.
      ...(isIP(name) === 0 && { servername: name }),
      rejectUnauthorized: dial.tls.verify,
      checkServerIdentity: (_, certificate) => tls.checkServerIdentity(name, certificate),
    });
    speaksOver(backend, transport);
    return readByEvent(backend, read);
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

/** What serves on a unix socket is this machine. */
function addressAsName({ address }: Dial): string {
  return 'path' in address ? 'localhost' : address.host;
}
