/**
 * The sessions with backends that can be resumed, the last with each. A backend is verified once in the life of a
 * session, however often that is resumed.
 */
import type { Pointer } from '../../uring/libc.ts';
import { sessionLifetimeSeconds } from '../session-policy.ts';
import type { OpenSsl } from './library.ts';
import { isCertificateCurrent } from './verified-sessions.ts';

interface KeptSession {
  readonly pointer: Pointer;
  readonly untilMs: number;
}

/** Their servers are told apart by what the caller names them. */
export class BackendSessions {
  readonly #openSsl: OpenSsl;
  readonly #verifies: boolean;
  readonly #sessions = new Map<string, KeptSession>();

  /** Certificates are looked at again where they are verified at all. */
  constructor(openSsl: OpenSsl, verifies: boolean) {
    this.#openSsl = openSsl;
    this.#verifies = verifies;
    whenUnreachable.register(this, freeing(openSsl, this.#sessions));
  }

  /**
   * Has a new connection resume the session with its server. Returns until when that is good; undefined where there is
   * none.
   */
  offer(connection: Pointer, server: string, nowMs: number): number | undefined {
    const session = this.#sessions.get(server);
    if (session === undefined) return undefined;
    const { pointer, untilMs } = session;
    const isGood = nowMs < untilMs && (!this.#verifies || isCertificateCurrent(this.#openSsl, pointer));
    if (!isGood) this.forget(server);
    else this.#openSsl.SSL_set_session(connection, pointer);
    return isGood ? untilMs : undefined;
  }

  /** Keeps the session of a connection, if it can be resumed: as long as the one that was offered and resumed. */
  keep(connection: Pointer, server: string, nowMs: number, offeredUntilMs: number | undefined): void {
    const openSsl = this.#openSsl;
    const pointer = openSsl.SSL_get1_session(connection);
    if (pointer === 0) return;
    if (!this.#isOfUse(pointer)) return openSsl.SSL_SESSION_free(pointer);
    this.forget(server);
    if (this.#sessions.size >= sessionsMax) freeing(openSsl, this.#sessions)();
    const isResumed = openSsl.SSL_session_reused(connection) === 1;
    const untilMs = isResumed ? offeredUntilMs : undefined;
    this.#sessions.set(server, { pointer, untilMs: untilMs ?? nowMs + sessionLifetimeSeconds * 1_000 });
  }

  #isOfUse(session: Pointer): boolean {
    if (this.#openSsl.SSL_SESSION_is_resumable(session) !== 1) return false;
    this.#openSsl.SSL_SESSION_get0_ticket(session, pointerRead, lengthRead);
    return Number(lengthRead[0]) <= ticketBytesMax;
  }

  /** It may be why the handshake has failed that it was offered in. */
  forget(server: string): void {
    const session = this.#sessions.get(server);
    if (session === undefined) return;
    this.#sessions.delete(server);
    this.#openSsl.SSL_SESSION_free(session.pointer);
  }
}

function freeing(openSsl: OpenSsl, sessions: Map<string, KeptSession>): () => void {
  return () => {
    for (const { pointer } of sessions.values()) openSsl.SSL_SESSION_free(pointer);
    sessions.clear();
  };
}

/**
 * A backend can give one of 64 KiB, with which no hello can be written. The longest useful ones hold a chain of
 * certificates.
 */
const ticketBytesMax = 16 * 1024;

/** A pool whose names stand for other addresses every minute has more and more backends. */
const sessionsMax = 10_000;

const pointerRead = new BigUint64Array(1);
const lengthRead = new BigUint64Array(1);

const whenUnreachable = new FinalizationRegistry<() => void>((free) => free());
