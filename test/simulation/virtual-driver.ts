/**
 * A driver without sockets. It keeps to `src/drivers/driver.ts`, and it holds the core to
 * `src/core/contract.ts`: a command that is not legal in its session's stage is a violation.
 */
import type {
  Activity,
  BackendSlot,
  Client,
  Command,
  ListenerSlot,
  SessionId,
} from '../../src/core/contract.ts';
import type { DriverCommand } from '../../src/drivers/driver.ts';
import type { Speech } from './speech.ts';
import { must } from './violation.ts';

export type Stage = 'waiting' | 'securing' | 'dialing' | 'dialed' | 'relaying' | 'closing' | 'resetting';

/** An accepted connection and what has become of it. */
export interface Connection {
  readonly id: SessionId;
  readonly listener: ListenerSlot;
  readonly client: Client;
  readonly speech: Speech;
  stage: Stage;
  /** What the client says now, and how much of it was said, handed over, discarded and delivered so far. */
  words: Uint8Array;
  said: number;
  handedOver: number;
  discarded: number;
  delivered: number;
  /** At more than so many bytes they are handed over; undefined where nobody asks for them. */
  inspectBeyond: number | undefined;
  isSecured: boolean;
  /** The backend of the dial under way or done. A dial may still be under way when the session is closed. */
  backend: BackendSlot | undefined;
  dialIsUnderWay: boolean;
  finned: 'client' | 'backend' | undefined;
  lastByteMs: number;
}

export class VirtualDriver implements Activity {
  readonly connections = new Map<SessionId, Connection>();
  #lastSession = 0;

  accept(listener: ListenerSlot, address: string, speech: Speech): Connection {
    const id = ++this.#lastSession;
    const { header, words, share } = speech;
    const connection: Connection = {
      id,
      listener,
      client: { address, port: id },
      speech,
      stage: 'waiting',
      words: cut([...(header?.bytes ?? []), ...words.bytes], share),
      said: 0,
      handedOver: 0,
      discarded: 0,
      delivered: 0,
      inspectBeyond: undefined,
      isSecured: false,
      backend: undefined,
      dialIsUnderWay: false,
      finned: undefined,
      lastByteMs: 0,
    };
    this.connections.set(id, connection);
    return connection;
  }

  /** Those that are in one of these stages. */
  in(...stages: readonly Stage[]): readonly Connection[] {
    return [...this.connections.values()].filter(({ stage }) => stages.includes(stage));
  }

  lastByteMs(session: SessionId): number {
    return this.#live(session, 'lastByteMs').lastByteMs;
  }

  arrivedAt(session: SessionId): Client {
    this.#live(session, 'arrivedAt');
    return arrivedAt;
  }

  /** More bytes have come from the client. */
  hear(connection: Connection, bytes: number, nowMs: number): void {
    connection.said += bytes;
    if (connection.stage !== 'relaying' || bytes === 0) return;
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
    connection.stage = 'waiting';
    connection.isSecured = true;
    connection.words = cut(secret.bytes, share);
    connection.said = 0;
    connection.handedOver = 0;
    connection.discarded = 0;
  }

  execute(command: DriverCommand, nowMs: number): void {
    const connection = this.#live(command.session, command.kind);
    if (command.kind !== 'discard') connection.inspectBeyond = undefined;
    switch (command.kind) {
      case 'inspect':
        this.#expect(command, connection, ['waiting']);
        connection.inspectBeyond = command.beyond;
        return;
      case 'discard': {
        this.#expect(command, connection, ['waiting']);
        connection.discarded += command.bytes;
        const { id, discarded, handedOver } = connection;
        must(discarded <= handedOver, () => `session ${id} discards ${discarded} of ${handedOver} bytes`);
        return;
      }
      case 'secure':
        this.#expect(command, connection, ['waiting']);
        must(!connection.isSecured, () => `session ${connection.id} is secured twice`);
        connection.stage = 'securing';
        return;
      case 'dial':
        this.#expect(command, connection, ['waiting']);
        must(!connection.dialIsUnderWay, () => `session ${connection.id} dials twice at once`);
        connection.stage = 'dialing';
        connection.backend = command.backend;
        connection.dialIsUnderWay = true;
        return;
      case 'abort-dial':
        this.#expect(command, connection, ['dialing']);
        connection.stage = 'waiting';
        connection.dialIsUnderWay = false;
        return;
      case 'relay':
        this.#expect(command, connection, ['dialed']);
        connection.stage = 'relaying';
        connection.delivered = connection.said - connection.discarded;
        connection.lastByteMs = nowMs;
        return;
      case 'close':
        if (command.how === 'reset') {
          must(connection.stage !== 'resetting', () => `session ${connection.id} is reset twice`);
          connection.stage = 'resetting';
          return;
        }
        this.#expect(command, connection, ['waiting', 'securing', 'dialing', 'dialed', 'relaying']);
        connection.stage = 'closing';
    }
  }

  #live(session: SessionId, what: string): Connection {
    const connection = this.connections.get(session);
    must(connection !== undefined, () => `${what} for session ${session}, which is not there`);
    return connection;
  }

  #expect(command: Command, { id, stage }: Connection, stages: readonly Stage[]): void {
    must(stages.includes(stage), () => `${command.kind} for session ${id} while it is ${stage}`);
  }
}

export const arrivedAt: Client = { address: '203.0.113.1', port: 443 };

function cut(words: ArrayLike<number>, share: number): Uint8Array {
  return Uint8Array.from(words).subarray(0, Math.ceil(words.length * share));
}
