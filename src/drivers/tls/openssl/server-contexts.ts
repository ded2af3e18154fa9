/**
 * A listener's TLS as OpenSSL wants it: a context for each set of certificates that is shown. Each is made ready when
 * its first client comes, and forgotten with its settings. Plans that say the same bring the same object
 * (`dataplane/kept-settings.ts`).
 */
import type { ListenerTls } from '../../../core/plan.ts';
import type { Pointer } from '../../uring/libc.ts';
import { CertificateTable, factsOf } from '../certificate-names.ts';
import { sessionContext, sessionLifetimeSeconds } from '../session-policy.ts';
import type { AlpnChoices } from './alpn.ts';
import * as ssl from './constants.ts';
import { Context } from './context.ts';
import type { OpenSsl } from './library.ts';

export interface ServerContextsDeps {
  readonly openSsl: OpenSsl;
  readonly alpn: AlpnChoices;
  /** What OpenSSL calls back. */
  readonly selectAlpn: Pointer;
  readonly ticketKey: Pointer;
  readonly checkTicket: Pointer;
  readonly verify: Pointer;
}

export class ServerContexts {
  readonly #deps: ServerContextsDeps;
  readonly #ready = new WeakMap<ListenerTls, ListenerContexts>();

  constructor(deps: ServerContextsDeps) {
    this.#deps = deps;
  }

  /** What a client that asks for a name is served with. Throws where the keys or certificates are none. */
  context(listener: ListenerTls, serverName: string | undefined): Context {
    const ready = this.#ready.get(listener) ?? new ListenerContexts(listener, this.#deps);
    this.#ready.set(listener, ready);
    return ready.context(serverName);
  }
}

class ListenerContexts {
  readonly #listener: ListenerTls;
  readonly #deps: ServerContextsDeps;
  readonly #certificates: CertificateTable;
  /** By the certificates that are shown: one takes about a millisecond. */
  readonly #contexts = new Map<string, Context>();

  constructor(listener: ListenerTls, deps: ServerContextsDeps) {
    this.#listener = listener;
    this.#deps = deps;
    this.#certificates = new CertificateTable(listener.certificates.map(factsOf));
  }

  context(serverName: string | undefined): Context {
    const { byDefault } = this.#certificates;
    const shown = serverName === undefined ? byDefault : this.#certificates.find(serverName);
    const key = shown.join();
    const made = this.#contexts.get(key) ?? this.#make(shown);
    this.#contexts.set(key, made);
    return made;
  }

  #make(certificates: readonly number[]): Context {
    const { openSsl, alpn, selectAlpn, ticketKey, checkTicket, verify } = this.#deps;
    const { minVersion, clientAuth, clientCa, alpn: protocols } = this.#listener;
    const context = new Context(openSsl, minVersion);
    const { pointer } = context;
    for (const index of certificates) {
      const pair = this.#listener.certificates[index];
      if (pair !== undefined) context.use(pair);
    }
    const id = Buffer.from(sessionContext(this.#listener, certificates));
    openSsl.SSL_CTX_set_session_id_context(pointer, id, id.length);
    openSsl.SSL_CTX_set_timeout(pointer, sessionLifetimeSeconds);
    // OpenSSL's own default is two. Each takes some 3 % of what a handshake costs.
    openSsl.SSL_CTX_set_num_tickets(pointer, 1);
    openSsl.SSL_CTX_callback_ctrl(pointer, ssl.SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB, ticketKey);
    if (protocols.length > 0)
      openSsl.SSL_CTX_set_alpn_select_cb(pointer, selectAlpn, alpn.numberOf(protocols));
    if (clientAuth === 'off') return context;
    const must = clientAuth === 'required' ? ssl.SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
    openSsl.SSL_CTX_set_verify(pointer, ssl.SSL_VERIFY_PEER | must, verify);
    openSsl.SSL_CTX_set_session_ticket_cb(pointer, 0, checkTicket, 0);
    // Of authorities, none is believed but those named.
    if (clientCa !== undefined) context.trust(clientCa, true);
    return context;
  }
}
