/**
 * For how long a session may be resumed whose peer has proven by a certificate who it is: it does so once, in the
 * handshake that the session began with. OpenSSL asks neither whether that certificate is good still, nor how often a
 * session was resumed: each ticket of TLS 1.3 would be good for as long again (RFC 8446, 4.6.1).
 */
import type { Pointer } from '../../uring/libc.ts';
import type { Callbacks, OpenSsl } from './library.ts';

/** True also where the peer has shown none. */
export function isCertificateCurrent(openSsl: OpenSsl, session: Pointer): boolean {
  const certificate = openSsl.SSL_SESSION_get0_peer(session);
  return certificate === 0 || openSsl.X509_cmp_current_time(openSsl.X509_get0_notAfter(certificate)) > 0;
}

/** Judges the session that a client's ticket holds. One that it refuses is begun anew by a whole handshake. */
export function checkTicket(openSsl: OpenSsl): Callbacks['checkTicket'] {
  return (_connection, session, _name, _nameBytes, status) => {
    if (status !== opened && status !== openedToBeRenewed) return ignoreAndRenew;
    if (!isCertificateCurrent(openSsl, session) || !endsAsBefore(openSsl, session)) return ignoreAndRenew;
    return status === opened ? use : useAndRenew;
  };
}

/** What is left of the session's life is all that its next ticket gets. Returns whether there is any. */
function endsAsBefore(openSsl: OpenSsl, session: Pointer): boolean {
  const now = Math.floor(Date.now() / 1_000);
  const left = openSsl.SSL_SESSION_get_time(session) + openSsl.SSL_SESSION_get_timeout(session) - now;
  if (left <= 0) return false;
  openSsl.SSL_SESSION_set_time(session, now);
  openSsl.SSL_SESSION_set_timeout(session, left);
  return true;
}

/** SSL_TICKET_SUCCESS, SSL_TICKET_SUCCESS_RENEW, and the answers of SSL_CTX_set_session_ticket_cb(3). */
const opened = 5;
const openedToBeRenewed = 6;
const ignoreAndRenew = 2;
const use = 3;
const useAndRenew = 4;
