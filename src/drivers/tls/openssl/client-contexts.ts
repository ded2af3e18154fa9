/**
 * TLS to backends as OpenSSL wants it: whom they must prove to be, what the proxy shows of itself, and the sessions
 * that it resumes. Keys and authorities are read once, and forgotten with their plan.
 */
import { isIP } from 'node:net';
import type { BackendTls } from '../../../core/plan.ts';
import type { Pointer } from '../../uring/libc.ts';
import { sessionLifetimeSeconds } from '../session-policy.ts';
import { systemAuthorities } from '../system-authorities.ts';
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

interface KeptSession {
  readonly pointer: Pointer;
  readonly untilMs: number;
}

class BackendContext {
  readonly context: Context;
  readonly #openSsl: OpenSsl;
  /** The last session of each backend. */
  readonly #sessions = new Map<string, KeptSession>();

  constructor(openSsl: OpenSsl, callback: Pointer, { verify, ca, cert, key }: BackendTls) {
    this.#openSsl = openSsl;
    this.context = new Context(openSsl, 'TLSv1.2');
    if (cert !== undefined && key !== undefined) this.context.use({ cert, key });
    whenUnreachable.register(this, freeing(openSsl, this.#sessions));
    if (!verify) return;
    openSsl.SSL_CTX_set_verify(this.context.pointer, ssl.SSL_VERIFY_PEER, callback);
    this.context.trust(ca ?? systemAuthorities(), false);
  }

  /** Says to a new connection whom it must reach, and which session it may resume. */
  prepare(connection: Pointer, serverName: string, backend: string, nowMs: number): void {
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
    const session = this.#sessions.get(keyOf(serverName, backend));
    if (session !== undefined && nowMs < session.untilMs)
      openSsl.SSL_set_session(connection, session.pointer);
  }

  /** Keeps the session of a connection for the next one, if it can be resumed. Returns whether it can. */
  keepSession(connection: Pointer, serverName: string, backend: string, nowMs: number): boolean {
    const openSsl = this.#openSsl;
    const pointer = openSsl.SSL_get1_session(connection);
    if (pointer === 0) return false;
    if (openSsl.SSL_SESSION_is_resumable(pointer) !== 1) {
      openSsl.SSL_SESSION_free(pointer);
      return false;
    }
    const key = keyOf(serverName, backend);
    const before = this.#sessions.get(key);
    if (before !== undefined) openSsl.SSL_SESSION_free(before.pointer);
    else if (this.#sessions.size >= sessionsMax) freeing(openSsl, this.#sessions)();
    this.#sessions.set(key, { pointer, untilMs: nowMs + sessionLifetimeSeconds * 1_000 });
    return true;
  }
}

function keyOf(serverName: string, backend: string): string {
  return `${serverName} ${backend}`;
}

function freeing(openSsl: OpenSsl, sessions: Map<string, KeptSession>): () => void {
  return () => {
    for (const { pointer } of sessions.values()) openSsl.SSL_SESSION_free(pointer);
    sessions.clear();
  };
}

/** A pool whose names stand for other addresses every minute has more and more backends. */
const sessionsMax = 10_000;

const whenUnreachable = new FinalizationRegistry<() => void>((free) => free());
