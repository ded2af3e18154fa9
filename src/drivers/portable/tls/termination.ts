/**
 * A listener's TLS as `node:tls` wants it. Three things here are not in Node's manual, and the same in every
 * Node from 20 to 26: the events `secure` and `_tlsError` of a `TLSSocket` that one makes oneself, and
 * `verifyError` of its handle. Where that is missing, no client is taken for verified.
 */
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { ListenerTls } from '../../../core/plan.ts';
import { certificateNames, NameTable } from './certificate-names.ts';
import { strength } from './strength.ts';

/** The listeners of one driver: each is made ready when its first client comes, and forgotten with its plan. */
export class Terminations {
  readonly #ticketKeys: Buffer;
  readonly #ready = new WeakMap<ListenerTls, Termination>();

  constructor(ticketKeys: Uint8Array) {
    this.#ticketKeys = Buffer.from(ticketKeys);
  }

  /** Undefined where the keys and certificates are none. */
  of(listener: ListenerTls): Termination | undefined {
    const ready = this.#ready.get(listener);
    if (ready !== undefined) return ready;
    try {
      const made = new Termination(listener, this.#ticketKeys);
      this.#ready.set(listener, made);
      return made;
    } catch {
      return undefined;
    }
  }
}

export class Termination {
  readonly #options: tls.TLSSocketOptions;
  readonly #clientAuth: ListenerTls['clientAuth'];

  constructor(listener: ListenerTls, ticketKeys: Buffer) {
    const { certificates, alpn, clientAuth } = listener;
    const byName = new NameTable<tls.SecureContext>();
    const contexts = certificates.map(({ cert, key }) => {
      const context = tls.createSecureContext(contextOptions(listener, cert, key, ticketKeys));
      byName.add(certificateNames(cert), context);
      return context;
    });
    this.#clientAuth = clientAuth;
    this.#options = {
      isServer: true,
      secureContext: contexts[0],
      requestCert: clientAuth !== 'off',
      rejectUnauthorized: clientAuth === 'required',
      // To ask for the name takes a way through JavaScript, which one certificate does not need.
      ...(contexts.length > 1 && { SNICallback: (name, choose) => choose(null, byName.find(name)) }),
      // Without a common one, Node refuses the client as RFC 7301 wants.
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    };
  }

  /** Begins the handshake with what the transport has read and not given to anyone. */
  begin(transport: Socket): tls.TLSSocket {
    return new tls.TLSSocket(transport, this.#options);
  }

  /**
   * What is wrong with the certificate of a client whose handshake is done; undefined where it has shown the one
   * that it must, or none where it may.
   */
  objectionTo(client: tls.TLSSocket): string | undefined {
    if (this.#clientAuth === 'off') return undefined;
    const error = verifyError(client);
    if (error === null) return undefined;
    if (client.getPeerX509Certificate() !== undefined) return `client certificate: ${error.message}`;
    return this.#clientAuth === 'optional' ? undefined : 'no client certificate';
  }
}

function contextOptions(
  listener: ListenerTls,
  cert: string,
  key: string,
  ticketKeys: Buffer,
): tls.SecureContextOptions {
  return {
    ...strength,
    minVersion: listener.minVersion,
    cert,
    key,
    // Of authorities, none is believed but those named.
    ca: listener.clientAuth === 'off' ? [] : (listener.clientCa ?? []),
    ticketKeys,
    sessionTimeout: sessionLifetimeSeconds,
    sessionIdContext: sessionContext(listener),
  };
}

/** As nginx and HAProxy have it. A resumed session is not asked for its certificate again. */
const sessionLifetimeSeconds = 300;

/**
 * A session is resumed only where everything is as it was when it began: with another certificate or another
 * authority, the client goes through the whole handshake, although all listeners share their ticket keys.
 */
function sessionContext({ certificates, minVersion, alpn, clientAuth, clientCa }: ListenerTls): string {
  const policy = [certificates.map(({ cert }) => cert), minVersion, alpn, clientAuth, clientCa];
  return createHash('sha256').update(JSON.stringify(policy)).digest('hex').slice(0, 32);
}

function verifyError(client: tls.TLSSocket): Error | null {
  const handle = '_handle' in client ? client._handle : undefined;
  return hasVerifyError(handle) ? handle.verifyError() : new Error('not verified');
}

function hasVerifyError(handle: unknown): handle is { verifyError(): Error | null } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'verifyError' in handle &&
    typeof handle.verifyError === 'function'
  );
}
