/** OpenSSL without sockets, for one thread: makes the TLS of connections from what the core commands. */
import type { TicketKeys } from '../../ticket-keys.ts';
import type { Pointer } from '../../uring/libc.ts';
import type { StartTls } from '../engine.ts';
import { PeerLooks } from '../peer-looks.ts';
import { AlpnChoices } from './alpn.ts';
import { Bios } from './bios.ts';
import { ClientContexts } from './client-contexts.ts';
import { type Role, TlsConnection } from './connection.ts';
import type { Context } from './context.ts';
import { takeReason } from './failures.ts';
import { type Library, loadLibrary, type OpenSsl } from './library.ts';
import { RefusedServers, verifyClient } from './peer-certificate.ts';
import { ServerContexts } from './server-contexts.ts';
import { ticketKey } from './tickets.ts';
import { checkTicket } from './verified-sessions.ts';

export class OpenSslEngine {
  readonly #openSsl: OpenSsl;
  readonly #library: Library;
  readonly #callbacks: readonly Pointer[];
  readonly #bios: Bios;
  readonly #servers: ServerContexts;
  readonly #clients: ClientContexts;
  readonly #refused: RefusedServers;
  readonly #looks = new PeerLooks();
  readonly #now: () => number;

  constructor(ticketKeys: TicketKeys, now: () => number, library: Library = loadLibrary()) {
    const { openSsl, callback } = library;
    this.#library = library;
    this.#openSsl = openSsl;
    this.#now = now;
    this.#bios = new Bios(library);
    const alpn = new AlpnChoices(openSsl);
    this.#refused = new RefusedServers(openSsl);
    const selectAlpn = callback('selectAlpn', alpn.select);
    const sealTicket = callback('ticketKey', ticketKey(openSsl, ticketKeys));
    const judgeTicket = callback('checkTicket', checkTicket(openSsl));
    const verify = callback('verify', verifyClient(openSsl));
    const verifyServer = callback('verify', this.#refused.verify);
    this.#callbacks = [selectAlpn, sealTicket, judgeTicket, verify, verifyServer];
    this.#servers = new ServerContexts({
      openSsl,
      alpn,
      selectAlpn,
      ticketKey: sealTicket,
      checkTicket: judgeTicket,
      verify,
    });
    this.#clients = new ClientContexts(openSsl, verifyServer);
  }

  /** Undefined where the keys and certificates are none. */
  connection(command: StartTls): TlsConnection | undefined {
    try {
      return command.as === 'server' ? this.#server(command) : this.#client(command);
    } catch {
      this.#openSsl.ERR_clear_error();
      return undefined;
    }
  }

  #server({ tls, serverName }: Extract<StartTls, { readonly as: 'server' }>): TlsConnection {
    return this.#made(this.#servers.context(tls, serverName), server);
  }

  #client({ tls, address, serverName }: Extract<StartTls, { readonly as: 'client' }>): TlsConnection {
    const backend = 'path' in address ? address.path : `${address.host} ${address.port}`;
    const backendContext = this.#clients.of(tls);
    const { sessions } = backendContext;
    const server = `${serverName} ${backend}`;
    let offeredUntilMs: number | undefined;
    const connection = this.#made(backendContext.context, {
      isServer: false,
      peerName: serverName,
      refusedCertificate: () => this.#refused.take(),
      isLookDue: () => this.#looks.isDue(backend, this.#now()),
      keepSession: (pointer) => sessions.keep(pointer, server, this.#now(), offeredUntilMs),
      handshakeFailed: () => {
        if (offeredUntilMs !== undefined) sessions.forget(server);
      },
    });
    backendContext.expect(connection.pointer, serverName);
    offeredUntilMs = sessions.offer(connection.pointer, server, this.#now());
    return connection;
  }

  #made(context: Context, role: Role): TlsConnection {
    const pointer = this.#openSsl.SSL_new(context.pointer);
    if (pointer === 0) throw new Error(takeReason(this.#openSsl));
    return new TlsConnection(this.#openSsl, this.#bios, pointer, role);
  }

  /** Once no connection is left. */
  close(): void {
    this.#bios.free();
    for (const callback of this.#callbacks) this.#library.forget(callback);
  }
}

/** Clients keep their sessions themselves. */
const server: Role = {
  isServer: true,
  peerName: undefined,
  refusedCertificate: () => undefined,
  isLookDue: () => false,
  keepSession: () => {},
  handshakeFailed: () => {},
};
