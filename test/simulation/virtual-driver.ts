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
import { must } from './violation.ts';

export type Stage = 'waiting' | 'dialing' | 'dialed' | 'relaying' | 'closing' | 'resetting';

/** An accepted connection and what has become of it. */
export interface Connection {
  readonly id: SessionId;
  readonly listener: ListenerSlot;
  readonly client: Client;
  stage: Stage;
  /** The backend of the dial under way or done. A dial may still be under way when the session is closed. */
  backend: BackendSlot | undefined;
  dialIsUnderWay: boolean;
  finned: 'client' | 'backend' | undefined;
  lastByteMs: number;
}

export class VirtualDriver implements Activity {
  readonly connections = new Map<SessionId, Connection>();
  #lastSession = 0;

  accept(listener: ListenerSlot, address: string): Connection {
    const id = ++this.#lastSession;
    const connection: Connection = {
      id,
      listener,
      client: { address, port: id },
      stage: 'waiting',
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

  arrivedAt(): Client {
    return { address: '203.0.113.1', port: 443 };
  }

  execute(command: DriverCommand, nowMs: number): void {
    const connection = this.#live(command.session, command.kind);
    switch (command.kind) {
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
        connection.lastByteMs = nowMs;
        return;
      case 'close':
        if (command.how === 'reset') {
          must(connection.stage !== 'resetting', () => `session ${connection.id} is reset twice`);
          connection.stage = 'resetting';
          return;
        }
        this.#expect(command, connection, ['waiting', 'dialing', 'dialed', 'relaying']);
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
