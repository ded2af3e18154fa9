/**
 * TLS to backends as OpenSSL wants it: whom they must prove to be, what the proxy shows of itself, and the sessions
 * that it resumes. Keys and authorities are read once, and forgotten with their plan.
 */
import { isIP } from 'node:net';
import type { BackendTls } from '../../../core/plan.ts';
import type { Pointer } from '../../uring/libc.ts';
import { systemAuthorities } from '../system-authorities.ts';
import { BackendSessions } from './backend-sessions.ts';
import * as ssl from './constants.ts';
import { Context } from './context.ts';
import type { OpenSsl } from './library.ts';

export class ClientContexts {
  readonly #openSsl: OpenSsl;
  readonly #verify: Pointer;
  readonly #ready = new WeakMap<BackendTls, BackendContext>();

  /** `verify` is what OpenSSL calls back. */
  constructor(openSsl: OpenSsl, verify: Pointer) {
    this.#openSsl = openSsl;
    this.#verify = verify;
  }

  /** Throws where the keys or certificates are none. */
  of(backend: BackendTls): BackendContext {
    const ready = this.#ready.get(backend) ?? new BackendContext(this.#openSsl, this.#verify, backend);
    this.#ready.set(backend, ready);
    return ready;
  }
}

class BackendContext {
  readonly context: Context;
  readonly sessions: BackendSessions;
  readonly #openSsl: OpenSsl;

  constructor(openSsl: OpenSsl, callback: Pointer, { verify, ca, cert, key }: BackendTls) {
    this.#openSsl = openSsl;
    this.context = new Context(openSsl, 'TLSv1.2');
    if (cert !== undefined && key !== undefined) this.context.use({ cert, key });
    this.sessions = new BackendSessions(openSsl, verify);
    if (!verify) return;
    openSsl.SSL_CTX_set_verify(this.context.pointer, ssl.SSL_VERIFY_PEER, callback);
    this.context.trust(ca ?? systemAuthorities(), false);
  }

  /** Says to a new connection whom it must reach. */
  expect(connection: Pointer, serverName: string): void {
    const openSsl = this.#openSsl;
    if (isIP(serverName) === 0) {
      openSsl.SSL_ctrl(
        connection,
        ssl.SSL_CTRL_SET_TLSEXT_HOSTNAME,
        ssl.TLSEXT_NAMETYPE_host_name,
        serverName,
      );
      openSsl.SSL_set_hostflags(connection, ssl.X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      openSsl.SSL_set1_host(connection, serverName);
    } else {
      // An address is no name that could be sent (RFC 6066, 3), but certificates can be for one.
      openSsl.X509_VERIFY_PARAM_set1_ip_asc(openSsl.SSL_get0_param(connection), serverName);
    }
  }
}
