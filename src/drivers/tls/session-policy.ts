/** Which sessions of clients may be resumed, for any engine. */
import { createHash } from 'node:crypto';
import type { ListenerTls } from '../../core/plan.ts';

/** As nginx and HAProxy have it. A resumed session is not asked for its certificate again. */
export const sessionLifetimeSeconds = 300;

/**
 * A session is resumed only where everything is as it was when it began: with another authority, or under a name for
 * which other certificates are shown (by their numbers), the client goes through the whole handshake, although all
 * listeners share their ticket keys. 32 characters, the most that OpenSSL takes.
 */
export function sessionContext(
  { certificates, minVersion, alpn, clientAuth, clientCa }: ListenerTls,
  shown: readonly number[],
): string {
  const certs = shown.map((index) => certificates[index]?.cert);
  const policy = [certs, minVersion, alpn, clientAuth, clientCa];
  return createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 32);
}
