import type { DriverHost } from '../driver.ts';
import type { Buffers } from './buffers.ts';
import type { Connection } from './connection.ts';
import type { Outboxes } from './outbox.ts';
import type { Ring } from './ring.ts';
import type { Session } from './session.ts';
import type { Sockets } from './sockets.ts';

/** What a session needs of the driver around it. */
export interface Surroundings extends Pick<DriverHost, 'emit' | 'countBytes'> {
  readonly ring: Ring;
  readonly buffers: Buffers;
  readonly outboxes: Outboxes;
  readonly sockets: Sockets;
  /** When the completions at hand were taken. */
  readonly turnMs: number;
  /** Makes a connection of a descriptor. */
  opened(session: Session, fd: number): Connection;
  /** Nothing is under way on the connection: closes its descriptor, and tells its session. */
  closed(connection: Connection): void;
  /** There is no buffer to receive into: `read` is to be called when there is. */
  starved(connection: Connection): void;
  /** Calls back later, outside of any command. */
  later(happen: () => void): void;
  /** The session is over: commands no longer reach it. */
  forget(session: Session): void;
}
