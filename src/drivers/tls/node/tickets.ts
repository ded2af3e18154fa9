/**
 * Has a context seal session tickets with keys that change. Node's documented way has one key for the life of a
 * context; `enableTicketKeyCallback` is in none of its manuals, and the same in every Node from 20 to 26. Where it is
 * missing, the key stays that with which the context was made.
 */
import { randomBytes } from 'node:crypto';
import type tls from 'node:tls';
import type { TicketKeys } from '../../ticket-keys.ts';

/** A ticket of an old key is renewed where that is said; in TLS 1.3 the session's life then begins again. */
export function sealTickets({ context }: tls.SecureContext, keys: TicketKeys, renews: boolean): void {
  if (!takesCallback(context)) {
    const { name, hmac, aes } = keys.current;
    return context.setTicketKeys(Buffer.concat([name, hmac, aes]));
  }
  context.onticketkeycallback = (name, _, isNew) => {
    const key = isNew ? keys.current : keys.find(name);
    const { hmac, aes } = key ?? keys.current;
    if (isNew) return [usable, hmac, aes, keys.current.name, randomBytes(initialVectorBytes)];
    if (key === undefined) return [unknown, hmac, aes];
    return [key === keys.current || !renews ? usable : usableAndToBeRenewed, hmac, aes];
  };
  context.enableTicketKeyCallback();
}

/** The answers of SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
const unknown = 0;
const usable = 1;
const usableAndToBeRenewed = 2;
const initialVectorBytes = 16;

interface TakesCallback {
  enableTicketKeyCallback(): void;
  onticketkeycallback: (name: Uint8Array, initialVector: Uint8Array, isNew: boolean) => unknown[];
}

function takesCallback(context: object): context is TakesCallback {
  return 'enableTicketKeyCallback' in context && typeof context.enableTicketKeyCallback === 'function';
}
