/**
 * The connections of a driver by their numbers, which come back with completions; and those that wait for a buffer.
 */
import type { Buffers } from './buffers.ts';
import { Connection } from './connection.ts';
import type { Session } from './session.ts';

export class Connections {
  readonly #table: (Connection | undefined)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #starved = new Set<Connection>();
  #lastSerial = 0;

  add(session: Session, fd: number): Connection {
    const number = this.#freeNumbers.pop() ?? this.#table.length;
    // Completions bring it back as a signed word; 0 stands for what is no connection's.
    this.#lastSerial = (this.#lastSerial + 1) | 0 || 1;
    const connection = new Connection(session, fd, number, this.#lastSerial);
    this.#table[number] = connection;
    return connection;
  }

  remove(connection: Connection): void {
    this.#table[connection.number] = undefined;
    this.#freeNumbers.push(connection.number);
    this.#starved.delete(connection);
  }

  /**
   * Whom a completion is for. None of its operations outlives a connection, so that not to find it would be the
   * kernel's mistake, or ours.
   */
  find(number: number, serial: number): Connection | undefined {
    const connection = this.#table[number];
    return connection?.serial === serial ? connection : undefined;
  }

  /** It found no buffer to receive into. */
  starves(connection: Connection): void {
    this.#starved.add(connection);
  }

  /** Lets those receive again who found no buffer: as many as there are buffers now. */
  feed(buffers: Buffers): void {
    if (this.#starved.size === 0) return;
    let left = buffers.left;
    for (const connection of this.#starved) {
      if (left-- <= 0) return;
      this.#starved.delete(connection);
      connection.session.read(connection);
    }
  }

  get count(): number {
    return this.#table.length - this.#freeNumbers.length;
  }
}
