/**
 * A driver without sockets. It keeps to `src/drivers/driver.ts`, and it holds the core to `src/core/contract.ts`: a
 * command that is not legal in its link's state is a violation, and so is a link that is left without a future.
 */
import type { Activity, Command, LinkId, ListenerSlot } from '../../src/core/contract.ts';
import type { Links } from '../../src/core/links.ts';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import type { Session } from '../../src/core/session.ts';
import type { DriverCommand } from '../../src/drivers/driver.ts';
import type { Speech } from './speech.ts';
import type { End, ToldCommand } from './told.ts';
import { must } from './violation.ts';

/** As the contract has them. `finishing` and `resetting` are by command, or because of the partner. */
export type LinkState =
  | 'dialing'
  | 'held'
  | 'handshaking'
  | 'refused'
  | 'joined'
  | 'finishing'
  | 'resetting'
  | 'ended';

export interface VirtualLink {
  readonly number: LinkId;
  readonly side: 'client' | 'backend';
  state: LinkState;
  /** How it was commanded to be closed. */
  closed: 'fin' | 'reset' | undefined;
}

/** A client's connection and what has become of it: a session, as the world sees it. */
export interface Connection {
  readonly id: number;
  readonly listener: ListenerSlot;
  readonly client: End;
  readonly speech: Speech;
  readonly link: VirtualLink;
  /** The link that is dialed or was joined, until it has ended. */
  backend: VirtualLink | undefined;
  /** The slot of the backend that was dialed last. */
  slot: number | undefined;
  isJoined: boolean;
  /** What the client says now, and how much of it was said, handed over, discarded and delivered so far. */
  words: Uint8Array;
  said: number;
  handedOver: number;
  discarded: number;
  delivered: number;
  /** At more than so many bytes they are handed over; undefined where nothing asks for them. */
  inspectBeyond: number | undefined;
  isSecured: boolean;
  finned: 'client' | 'backend' | undefined;
  lastByteMs: number;
  /** Joined or closed: what is still to be sent. */
  waitingBytes: number;
  bytesToBackend: number;
  bytesToClient: number;
}

export type Stage = 'waiting' | 'handshaking' | 'dialing' | 'originating' | 'relaying' | 'closing';

export class VirtualDriver implements Activity {
  readonly connections = new Map<number, Connection>();
  readonly #links: Links<Session>;
  readonly #byLink = new Map<LinkId, { readonly link: VirtualLink; readonly connection: Connection }>();
  #lastId = 0;

  constructor(links: Links<Session>) {
    this.#links = links;
  }

  accept(listener: ListenerSlot, address: string, speech: Speech): Connection {
    let number = 0;
    // As a driver does: the lowest number that is free.
    while (this.#byLink.has(number)) number += 2;
    const id = ++this.#lastId;
    const { header, words, share } = speech;
    const connection: Connection = {
      id,
      listener,
      client: { address, port: address === 'unix' ? 0 : id % 65_536 },
      speech,
      link: { number, side: 'client', state: 'held', closed: undefined },
      backend: undefined,
      slot: undefined,
      isJoined: false,
      words: cut([...(header?.bytes ?? []), ...words.bytes], share),
      said: 0,
      handedOver: 0,
      discarded: 0,
      delivered: 0,
      inspectBeyond: undefined,
      isSecured: false,
      finned: undefined,
      lastByteMs: 0,
      waitingBytes: 0,
      bytesToBackend: 0,
      bytesToClient: 0,
    };
    this.connections.set(id, connection);
    this.#byLink.set(number, { link: connection.link, connection });
    return connection;
  }

  /** Those that are in one of these stages. */
  in(...stages: readonly Stage[]): readonly Connection[] {
    return [...this.connections.values()].filter((connection) => stages.includes(stageOf(connection)));
  }

  /** The link's last event was handled: its number may be used again. */
  forget(number: LinkId): void {
    const found = this.#byLink.get(number);
    must(found !== undefined, () => `link ${number} has ended twice`);
    const { link, connection } = found;
    this.#byLink.delete(number);
    must(
      this.#links.sessionOf(link.number) === undefined,
      () => `link ${link.number} is remembered after its end`,
    );
    if (connection.backend === link) connection.backend = undefined;
    if (connection.link.state === 'ended' && connection.backend === undefined)
      this.connections.delete(connection.id);
  }

  lastByteMs(link: LinkId): number {
    return this.#open(link, 'lastByteMs').connection.lastByteMs;
  }

  sentBytes(link: LinkId): number {
    this.#open(link, 'sentBytes');
    return 0;
  }

  waitingBytes(link: LinkId): number {
    const { connection } = this.#open(link, 'waitingBytes');
    return stageOf(connection) === 'closing' ? connection.waitingBytes : held(connection);
  }

  localEndpoint(link: LinkId): Endpoint {
    this.#open(link, 'localEndpoint');
    return localEndpoint;
  }

  /** More bytes have come from the client. */
  hear(connection: Connection, bytes: number, nowMs: number): void {
    connection.said += bytes;
    if (stageOf(connection) !== 'relaying' || bytes === 0) return;
    connection.delivered += bytes;
    connection.lastByteMs = nowMs;
  }

  /** The bytes that are due to be handed over, if any are. */
  takeDue(connection: Connection): Uint8Array | undefined {
    const { words, said, discarded, inspectBeyond = Number.POSITIVE_INFINITY } = connection;
    if (said - discarded <= inspectBeyond) return undefined;
    connection.inspectBeyond = undefined;
    connection.handedOver = said;
    return words.slice(discarded, said);
  }

  /** The handshake is done: what the client says from now on is what it says in secret. */
  secure(connection: Connection): void {
    const { secret, share } = connection.speech;
    connection.link.state = 'held';
    connection.isSecured = true;
    connection.words = cut(secret.bytes, share);
    connection.said = 0;
    connection.handedOver = 0;
    connection.discarded = 0;
  }

  /** In words of sessions. What belongs to the closing of a session is said once. */
  told(commands: readonly Command[]): readonly ToldCommand[] {
    const closed = commands.flatMap((command) => (command.kind === 'close' ? [command.link] : []));
    return commands.flatMap((command) => this.#inWords(command, closed));
  }

  execute(command: DriverCommand, nowMs: number): void {
    switch (command.kind) {
      case 'connect': {
        const { link, connection } = this.#open(command.link, command.kind);
        link.state = 'dialing';
        connection.slot = 'port' in command.address ? command.address.port - 9_000 : -1;
        return;
      }
      case 'join': {
        const client = this.#expect(command.kind, command.client, ['held']);
        const backend = this.#expect(command.kind, command.backend, ['held']);
        const { connection } = client;
        must(backend.connection === connection, () => `link ${command.client} is joined to a stranger's`);
        must(client.link.side !== backend.link.side, () => `two clients are joined: link ${command.client}`);
        client.link.state = 'joined';
        backend.link.state = 'joined';
        connection.isJoined = true;
        connection.inspectBeyond = undefined;
        connection.delivered = held(connection);
        connection.lastByteMs = nowMs;
        return;
      }
      case 'close':
        return this.#close(command.link, command.how);
      default:
        return this.#held(command);
    }
  }

  /** After each event: nothing may be left that nothing will happen to. */
  check(): void {
    for (const { id, link, backend, isJoined } of this.connections.values()) {
      if (backend === undefined || backend.state === 'ended') continue;
      must(backend.state !== 'held', () => `the backend of session ${id} is there, and nothing follows`);
      const isOver = link.state === 'ended' || link.closed !== undefined;
      const isGivenUp = isJoined || backend.closed !== undefined;
      must(!isOver || isGivenUp, () => `session ${id} is over, and its backend ${backend.state}`);
      must(backend.state !== 'refused', () => `the backend of session ${id} has failed, and is not closed`);
    }
  }

  #inWords(command: Command, closed: readonly LinkId[]): readonly ToldCommand[] {
    switch (command.kind) {
      case 'report':
        return [command];
      case 'tell':
      case 'wake':
        return [];
      case 'inspect':
        return [{ kind: 'inspect', session: this.#idOf(command.link), beyond: command.beyond }];
      case 'discard':
        return [{ kind: 'discard', session: this.#idOf(command.link), bytes: command.bytes }];
      case 'send':
        return [
          { kind: 'send', session: this.#idOf(command.link), word: String.fromCharCode(...command.bytes) },
        ];
      case 'start-tls': {
        const session = this.#idOf(command.link);
        if (command.as === 'client') return [{ kind: 'originate', session, preamble: command.first }];
        return [{ kind: 'secure', session, tls: command.tls, serverName: command.serverName }];
      }
      case 'connect': {
        const { id } = this.#dialed(command.link);
        const { address } = command;
        const slot = 'port' in address ? address.port - 9_000 : -1;
        return [{ kind: 'dial', session: id, backend: slot, address }];
      }
      case 'join':
        return [{ kind: 'relay', session: this.#idOf(command.client), preamble: command.first }];
      case 'close': {
        const { link, connection } = this.#open(command.link, 'close');
        const told = { kind: 'close', session: connection.id, how: command.how } as const;
        if (link.side === 'client' || connection.isJoined) return [told];
        const goesWithClient = connection.link.state === 'ended' || closed.includes(connection.link.number);
        return goesWithClient ? [] : [{ kind: 'abort-dial', session: connection.id }];
      }
    }
  }

  #held(command: Exclude<DriverCommand, { readonly kind: 'connect' | 'join' | 'close' }>): void {
    const { link, connection } = this.#expect(command.kind, command.link, ['held']);
    if (command.kind !== 'discard') connection.inspectBeyond = undefined;
    switch (command.kind) {
      case 'inspect':
        must(link.side === 'client', () => `link ${link.number} of a backend is inspected`);
        connection.inspectBeyond = command.beyond;
        return;
      case 'discard': {
        connection.discarded += command.bytes;
        const { id, discarded, handedOver } = connection;
        must(discarded <= handedOver, () => `session ${id} discards ${discarded} of ${handedOver} bytes`);
        return;
      }
      case 'send':
        must(
          command.bytes.length <= 4_096,
          () => `link ${link.number} is sent ${command.bytes.length} bytes`,
        );
        return;
      case 'start-tls': {
        must(
          (command.as === 'server') === (link.side === 'client'),
          () => `TLS as ${command.as} of a ${link.side}`,
        );
        must(link.side === 'backend' || !connection.isSecured, () => `link ${link.number} is secured twice`);
        link.state = 'handshaking';
      }
    }
  }

  /** A joined link's partner is closed with it. */
  #close(number: LinkId, how: 'fin' | 'reset'): void {
    const { link, connection } = this.#open(number, 'close');
    const { backend } = connection;
    const links = connection.isJoined && backend !== undefined ? [connection.link, backend] : [link];
    must(
      link.closed === undefined || (how === 'reset' && link.closed === 'fin'),
      () => `link ${number} is closed with ${how} after ${link.closed}`,
    );
    for (const one of links) {
      if (one.state === 'ended') continue;
      one.closed = how;
      one.state = how === 'fin' ? 'finishing' : 'resetting';
    }
    connection.inspectBeyond = undefined;
  }

  /** The connection that a new link is dialed for. */
  #dialed(number: LinkId): Connection {
    must(number % 2 === 1 && !this.#byLink.has(number), () => `link ${number} has its number still`);
    const session = this.#links.sessionOf(number);
    const connection = [...this.connections.values()].find(
      ({ link }) => link.state !== 'ended' && this.#links.sessionOf(link.number) === session,
    );
    must(connection !== undefined, () => `link ${number} is dialed for nobody`);
    const isFree = connection.backend === undefined || connection.backend.state === 'ended';
    must(isFree, () => `session ${connection.id} dials twice at once`);
    const stage = stageOf(connection);
    must(stage === 'waiting', () => `session ${connection.id} dials while it is ${stage}`);
    const link: VirtualLink = { number, side: 'backend', state: 'dialing', closed: undefined };
    connection.backend = link;
    this.#byLink.set(number, { link, connection });
    return connection;
  }

  #idOf(link: LinkId): number {
    return this.#open(link, 'command').connection.id;
  }

  #open(number: LinkId, what: string): { readonly link: VirtualLink; readonly connection: Connection } {
    const found = this.#byLink.get(number);
    must(
      found !== undefined && found.link.state !== 'ended',
      () => `${what} for link ${number}, which has ended`,
    );
    return found;
  }

  #expect(what: string, number: LinkId, states: readonly LinkState[]) {
    const found = this.#open(number, what);
    must(
      states.includes(found.link.state),
      () => `${what} for link ${number} while it is ${found.link.state}`,
    );
    return found;
  }
}

export function stageOf({ link, backend, isJoined }: Connection): Stage {
  if (link.closed !== undefined || link.state === 'finishing' || link.state === 'resetting') return 'closing';
  if (isJoined) {
    const isParted = backend === undefined || backend.state !== 'joined' || link.state !== 'joined';
    return isParted ? 'closing' : 'relaying';
  }
  if (link.state === 'ended') return 'closing';
  if (link.state === 'handshaking') return 'handshaking';
  if (backend === undefined || backend.state === 'ended') return 'waiting';
  if (backend.closed !== undefined) return 'dialing';
  return backend.state === 'handshaking' ? 'originating' : 'dialing';
}

/** Of what the client has said, what waits for somebody to take it. */
export function held({ said, discarded }: Connection): number {
  return said - discarded;
}

export const localEndpoint = Endpoint.parse('203.0.113.1', 443) ?? Endpoint.unix;

function cut(words: ArrayLike<number>, share: number): Uint8Array {
  return Uint8Array.from(words).subarray(0, Math.ceil(words.length * share));
}
