/**
 * The smallest brain that works in the core's place, in the thread of the driver: accepted → connect → join. It tells the
 * rig of every event, and notes whatever breaks the order that the contract promises.
 */
import type { Address, LinkEnd, LinkEvent, LinkId } from '../../src/core/contract.ts';
import { monotonicMs } from '../../src/dataplane/clock.ts';
import { DescriptorBudget } from '../../src/drivers/descriptor-budget.ts';
import type { Driver, DriverCommand, DriverEvent, DriverHost } from '../../src/drivers/driver.ts';
import { TicketKeys } from '../../src/drivers/ticket-keys.ts';
import type { DialOptions, DriverOptions, RigEvent, Rules } from './messages.ts';
import { backendSlot, listenerSlot, shared } from './messages.ts';

/** A client, and whom it was dialed to. */
interface Session {
  readonly client: LinkId;
  /** Its `accepted`, until its handshake is done where there is one. */
  accepted: Extract<LinkEvent, { readonly kind: 'accepted' }> | undefined;
  end: LinkEnd | undefined;
  bytesToClient: number;
  firstFin: 'client' | 'backend' | undefined;
  dial: Dial | undefined;
  /** Links of its dials that are not over yet. */
  openDials: number;
}

interface Dial {
  readonly session: Session;
  readonly address: Address;
  readonly options: DialOptions;
  isConnected: boolean;
  isJoined: boolean;
  /** It was told how to close, which is not overruled. */
  isClosing: boolean;
  end: LinkEnd | undefined;
  bytesToBackend: number;
}

export class Brain implements DriverHost {
  readonly ticketKeys: TicketKeys;
  readonly bufferBytes: number;
  readonly descriptors = new DescriptorBudget(new Int32Array(1), 0);
  readonly violations: string[] = [];
  rules: Rules = { target: undefined, joinsAtOnce: true, inspectsAccepted: false, discards: 0 };
  driver: Driver | undefined;
  readonly #tls: DriverOptions['tls'];
  readonly #counts: Int32Array;
  readonly #tell: (event: RigEvent) => void;
  readonly #told: { deadline(atMs: number): void; receive(): void };
  readonly #clients = new Map<LinkId, Session>();
  readonly #dials = new Map<LinkId, Dial>();
  readonly #asked = new Set<LinkId>();
  #isExecuting = false;

  constructor(
    { ticketKeys, bufferBytes, tls }: DriverOptions,
    counts: Int32Array,
    tell: (event: RigEvent) => void,
    told: { deadline(atMs: number): void; receive(): void },
  ) {
    this.ticketKeys = new TicketKeys(ticketKeys);
    this.bufferBytes = bufferBytes ?? 256 * 1024 * 1024;
    this.#tls = tls;
    this.#counts = counts;
    this.#tell = tell;
    this.#told = told;
  }

  now(): number {
    return monotonicMs();
  }

  buffersHold(bytes: number): void {
    Atomics.store(this.#counts, shared.buffersHold, bytes);
  }

  receive(): void {
    this.#told.receive();
  }

  deadline(): void {
    this.#told.deadline(this.now());
  }

  countBytes(listener: number, backend: number, toBackend: number, toClient: number): void {
    if (listener !== listenerSlot) this.violations.push(`bytes were counted for listener ${listener}`);
    if (backend !== backendSlot) this.violations.push(`bytes were counted for backend ${backend}`);
    Atomics.add(this.#counts, shared.toBackend, toBackend);
    Atomics.add(this.#counts, shared.toClient, toClient);
  }

  execute(command: DriverCommand): void {
    if (command.kind === 'inspect') this.#asked.add(command.link);
    else if ('link' in command && command.kind !== 'discard') this.#asked.delete(command.link);
    else if (command.kind === 'join') this.#asked.delete(command.client);
    this.#isExecuting = true;
    this.driver?.execute(command);
    this.#isExecuting = false;
  }

  dial(client: LinkId, address: Address, options: DialOptions): void {
    const session = this.#clients.get(client);
    if (session === undefined) return;
    let link = 1;
    while (this.#dials.has(link)) link += 2;
    const dial: Dial = {
      session,
      address,
      options,
      isConnected: false,
      isJoined: false,
      isClosing: false,
      end: undefined,
      bytesToBackend: 0,
    };
    session.dial = dial;
    session.openDials++;
    this.#dials.set(link, dial);
    this.execute({ kind: 'connect', link, address });
  }

  close(client: LinkId, how: 'fin' | 'reset'): void {
    const dial = this.#clients.get(client)?.dial;
    this.execute({ kind: 'close', link: client, how });
    // Of two joined links, to close the one is to close both.
    if (dial !== undefined && !dial.isJoined) this.#closeDial(dial, how);
  }

  /** Also once the client is over. */
  resetBackend(client: LinkId): void {
    for (const dial of this.#dials.values()) {
      if (dial.session.client === client) return this.#closeDial(dial, 'reset');
    }
  }

  #closeDial(dial: Dial, how: 'fin' | 'reset'): void {
    dial.isClosing = true;
    for (const [link, one] of this.#dials) {
      if (one === dial) return this.execute({ kind: 'close', link, how });
    }
  }

  emit(event: DriverEvent): void {
    if (this.#isExecuting) this.violations.push(`${event.kind} was emitted inside execute`);
    if (event.kind === 'exhausted') return this.#tell(event);
    if (event.kind === 'turned-away') {
      const { address, port } = event.peer;
      return this.#tell({ ...event, peer: { address, port } });
    }
    const { link } = event;
    if (event.kind === 'accepted') return this.#accepted(event);
    const dial = this.#dials.get(link);
    if (dial !== undefined) return this.#ofBackend(event, dial);
    const session = this.#clients.get(link);
    if (session === undefined) this.violations.push(`${event.kind} of link ${link}, which is none`);
    else this.#ofClient(event, session);
  }

  #accepted(event: Extract<LinkEvent, { readonly kind: 'accepted' }>): void {
    const { link } = event;
    if (link % 2 !== 0) this.violations.push(`link ${link} was accepted, and is odd`);
    if (this.#clients.has(link)) this.violations.push(`link ${link} was accepted, and is another's`);
    const session: Session = {
      client: link,
      accepted: event,
      end: undefined,
      bytesToClient: 0,
      firstFin: undefined,
      dial: undefined,
      openDials: 0,
    };
    this.#clients.set(link, session);
    if (this.#tls === undefined) return this.#introduced(session);
    this.execute({
      kind: 'start-tls',
      link,
      as: 'server',
      tls: this.#tls.listener,
      serverName: undefined,
    });
  }

  #introduced(session: Session): void {
    const { accepted, client } = session;
    if (accepted === undefined) return;
    session.accepted = undefined;
    const { address, port } = accepted.peer;
    this.#tell({ ...accepted, peer: { address, port } });
    if (this.rules.inspectsAccepted) this.execute({ kind: 'inspect', link: client, beyond: 0 });
    if (this.rules.target !== undefined) this.dial(client, this.rules.target, {});
  }

  #ofClient(event: Exclude<LinkEvent, { readonly kind: 'accepted' }>, session: Session): void {
    const { client } = session;
    switch (event.kind) {
      case 'received':
        if (!this.#asked.delete(client)) this.violations.push('received, and nobody had asked');
        // The bytes are the driver's, and good until this returns.
        this.#tell({ ...event, bytes: Uint8Array.from(event.bytes) });
        if (this.rules.discards === 0) return;
        this.execute({ kind: 'discard', link: client, bytes: this.rules.discards });
        return this.execute({ kind: 'inspect', link: client, beyond: 0 });
      case 'tls-established':
        if (session.accepted !== undefined) return this.#introduced(session);
        return this.#tell(event);
      case 'tls-failed':
        if (session.accepted === undefined) return this.#tell(event);
        return this.execute({ kind: 'close', link: client, how: 'reset' });
      case 'half-closed':
        session.firstFin ??= 'client';
        return this.#tell(event);
      case 'closed':
        if (session.end !== undefined) this.violations.push(`link ${client} was closed twice`);
        session.end = event.end;
        session.bytesToClient = event.sentBytes;
        // The number may be another client's from now on.
        this.#clients.delete(client);
        this.#asked.delete(client);
        if (session.accepted === undefined) this.#tell(event);
        // Who leaves while it is dialed for is not waited for.
        if (session.dial?.isJoined === false && !session.dial.isClosing)
          this.#closeDial(session.dial, 'reset');
        return this.#overIfSo(session);
      default:
        this.violations.push(`${event.kind} of a client`);
    }
  }

  #ofBackend(event: Exclude<LinkEvent, { readonly kind: 'accepted' }>, dial: Dial): void {
    const { session, options } = dial;
    const { client } = session;
    const tls = options.tls ?? this.#tls?.backend;
    switch (event.kind) {
      case 'connected':
        if (dial.isConnected) this.violations.push(`link ${event.link} was connected twice`);
        dial.isConnected = true;
        if (tls === undefined) return this.#ready(event, dial);
        return this.execute({
          kind: 'start-tls',
          link: event.link,
          as: 'client',
          tls,
          address: dial.address,
          serverName: options.serverName ?? tls.servername ?? '127.0.0.1',
          first: options.first,
        });
      case 'tls-established':
        return this.#ready({ kind: 'connected', link: event.link }, dial);
      case 'tls-failed':
        this.#tell({ ...event, client });
        return this.execute({ kind: 'close', link: event.link, how: 'fin' });
      case 'certificate-shown':
        return this.#tell({ ...event, client });
      case 'first-byte':
        if (!dial.isJoined) this.violations.push('the first byte came before the join');
        return this.#tell({ ...event, client });
      case 'half-closed':
        session.firstFin ??= 'backend';
        return this.#tell({ ...event, client });
      case 'connect-failed':
        this.#dials.delete(event.link);
        if (session.dial === dial) session.dial = undefined;
        session.openDials--;
        this.#tell({ ...event, client });
        if (this.rules.target !== undefined && session.end === undefined)
          this.execute({ kind: 'close', link: client, how: 'reset' });
        return this.#overIfSo(session);
      case 'closed':
        this.#dials.delete(event.link);
        dial.end = event.end;
        dial.bytesToBackend = event.sentBytes;
        session.openDials--;
        this.#tell({ ...event, client });
        return this.#overIfSo(session);
      default:
        this.violations.push(`${event.kind} of a backend`);
    }
  }

  #ready(event: Extract<LinkEvent, { readonly kind: 'connected' }>, dial: Dial): void {
    this.#tell({ ...event, client: dial.session.client });
    if (this.rules.joinsAtOnce) this.join(dial.session.client);
  }

  join(client: LinkId): void {
    const dial = this.#clients.get(client)?.dial;
    const tls = dial?.options.tls ?? this.#tls?.backend;
    for (const [backend, one] of this.#dials) {
      if (dial === undefined || one !== dial || dial.isJoined) continue;
      dial.isJoined = true;
      this.execute({
        kind: 'join',
        client,
        backend,
        slot: backendSlot,
        first: tls === undefined ? dial.options.first : undefined,
      });
    }
  }

  #overIfSo(session: Session): void {
    if (session.end === undefined || session.openDials > 0) return;
    if (session.accepted !== undefined) return;
    const { client, end, firstFin, bytesToClient, dial } = session;
    this.#tell({
      kind: 'over',
      link: client,
      client: end,
      backend: dial?.isConnected ? dial.end : undefined,
      firstFin,
      bytesToBackend: dial?.bytesToBackend ?? 0,
      bytesToClient,
    });
  }
}
