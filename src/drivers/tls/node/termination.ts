/**
 * A listener's TLS as `node:tls` wants it. Three things here are not in Node's manual, and the same in every
 * Node from 20 to 26: the events `secure` and `_tlsError` of a `TLSSocket` that one makes oneself, and
 * `verifyError` of its handle. Where that is missing, no client is taken for verified.
 */
import type { Socket } from 'node:net';
import tls from 'node:tls';
import type { ListenerTls } from '../../../core/plan.ts';
import type { TicketKeys } from '../../ticket-keys.ts';
import { CertificateTable, factsOf } from '../certificate-names.ts';
import { sessionContext, sessionLifetimeSeconds } from '../session-policy.ts';
import { strength } from '../strength.ts';
import { subjectOf } from '../subject.ts';
import { alertOfBadCertificate, objectionText } from './certificate-alert.ts';
import type { TlsSide } from './handshake.ts';
import { HandshakeSocket } from './handshake-socket.ts';
import { sealTickets } from './tickets.ts';

/**
 * The listeners of one driver: each is made ready when its first client comes, and forgotten with its settings. Plans
 * that say the same bring the same object (`dataplane/kept-settings.ts`).
 */
export class Terminations {
  readonly #ticketKeys: TicketKeys;
  readonly #ready = new WeakMap<ListenerTls, Termination>();

  constructor(ticketKeys: TicketKeys) {
    this.#ticketKeys = ticketKeys;
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

class Termination {
  readonly #listener: ListenerTls;
  readonly #ticketKeys: TicketKeys;
  readonly #certificates: CertificateTable;
  /** By the certificates that are shown, each made when the first client wants it: one takes about a millisecond. */
  readonly #options = new Map<string, tls.TLSSocketOptions>();

  constructor(listener: ListenerTls, ticketKeys: TicketKeys) {
    this.#listener = listener;
    this.#ticketKeys = ticketKeys;
    this.#certificates = new CertificateTable(listener.certificates.map(factsOf));
    if (this.#optionsFor(this.#certificates.byDefault) === undefined)
      throw new Error('no usable certificate');
  }

  /**
   * The name that the client asks for is wanted before the handshake: with Node's `SNICallback` clients could be shown
   * certificates of the first context too, those whose key is of another kind than that of the certificate chosen.
   * Undefined where that certificate is of no use.
   */
  side(serverName: string | undefined): TlsSide | undefined {
    const { byDefault } = this.#certificates;
    const shown = serverName === undefined ? byDefault : this.#certificates.find(serverName);
    const options = this.#optionsFor(shown);
    return (
      options && {
        open: (transport) => this.#open(transport, options),
        looksAtPeer: () => false,
        objectionTo: (client) => this.#objectionTo(client),
        clientSubject: (client) => this.#clientSubject(client),
      }
    );
  }

  #open(transport: Socket, options: tls.TLSSocketOptions): tls.TLSSocket {
    const client = new HandshakeSocket(transport, options);
    if (this.#listener.clientAuth !== 'off')
      alertOfBadCertificate(client, transport, () => badCertificate(client));
    return client;
  }

  /** Undefined where the client has shown the certificate that it must, or none where that is allowed. */
  #objectionTo(client: tls.TLSSocket): string | undefined {
    const { clientAuth } = this.#listener;
    if (clientAuth === 'off' || verifyError(client) === null) return undefined;
    const bad = badCertificate(client);
    if (bad !== undefined) return objectionText(bad);
    return clientAuth === 'optional' ? undefined : 'no client certificate';
  }

  #clientSubject(client: tls.TLSSocket): string | undefined {
    if (this.#listener.clientAuth === 'off' || verifyError(client) !== null) return undefined;
    const certificate = client.getPeerX509Certificate();
    return certificate && subjectOf(certificate).replaceAll('\n', ', ');
  }

  #optionsFor(certificates: readonly number[]): tls.TLSSocketOptions | undefined {
    const key = certificates.join();
    const known = this.#options.get(key);
    if (known !== undefined) return known;
    const { alpn, clientAuth } = this.#listener;
    let secureContext: tls.SecureContext;
    try {
      secureContext = this.#contextOf(certificates);
    } catch {
      return undefined;
    }
    const made: tls.TLSSocketOptions = {
      isServer: true,
      secureContext,
      requestCert: clientAuth !== 'off',
      rejectUnauthorized: clientAuth === 'required',
      // Without a common one, Node refuses the client as RFC 7301 wants.
      ...(alpn.length > 0 && { ALPNProtocols: [...alpn] }),
    };
    this.#options.set(key, made);
    return made;
  }

  #contextOf(certificates: readonly number[]): tls.SecureContext {
    const { minVersion, clientAuth, clientCa } = this.#listener;
    const shown = certificates.flatMap((index) => this.#listener.certificates[index] ?? []);
    const made = tls.createSecureContext({
      ...strength,
      minVersion,
      cert: shown.map(({ cert }) => cert),
      key: shown.map((pair) => pair.key),
      // No authority is believed but those named.
      ca: clientAuth === 'off' ? [] : (clientCa ?? []),
      sessionTimeout: sessionLifetimeSeconds,
      sessionIdContext: sessionContext(this.#listener, certificates),
    });
    // No longer than promised is a client believed that has shown a certificate once.
    sealTickets(made, this.#ticketKeys, clientAuth === 'off');
    return made;
  }
}

/** What is wrong with the certificate that a client has shown; undefined also where it has shown none (yet). */
function badCertificate(client: tls.TLSSocket): Error | undefined {
  const error = verifyError(client);
  return error === null || client.getPeerX509Certificate() === undefined ? undefined : error;
}

function verifyError(client: tls.TLSSocket): Error | null {
  const handle = '_handle' in client ? client._handle : undefined;
  return hasVerifyError(handle) ? (handle.verifyError() ?? expired(client)) : new Error('not verified');
}

/** OpenSSL takes the certificate of a resumed session for what it was when that began. */
function expired(client: tls.TLSSocket): Error | null {
  const certificate = client.isSessionReused() ? client.getPeerX509Certificate() : undefined;
  if (certificate === undefined || Date.now() < Date.parse(certificate.validTo)) return null;
  return Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
}

function hasVerifyError(handle: unknown): handle is { verifyError(): Error | null } {
  return (
    typeof handle === 'object' &&
    handle !== null &&
    'verifyError' in handle &&
    typeof handle.verifyError === 'function'
  );
}
