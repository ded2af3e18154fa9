/**
 * What every driver must keep to; `test/conformance/` holds the suite that checks it. A driver does and
 * never decides: it accepts, dials, copies and closes, and reports events.
 *
 * - Nothing throws. Failures come back as events, and no event is emitted before `execute` has returned.
 * - Every dial ends in exactly one `dialed` or `dial-failed`, unless it is aborted or its session ends first;
 *   every accepted session ends in exactly one `ended`.
 * - What a client sends before its backend has been dialed is held, up to a bound, and delivered once.
 * - FIN is passed on, in each direction by itself, after all the bytes before it. RST ends both sides and
 *   is passed on as RST.
 * - A reader that stalls stops the reads on the other side: memory per session is bounded.
 * - Every byte that a peer sent before its FIN is delivered, and what is counted is what was delivered.
 * - Out of descriptors, new clients wait or are turned away, and accepting goes on as soon as it can; nothing
 *   spins, and open sessions go on.
 * - A client that has gone before its address could be asked for is none: it brings no event.
 * - With TLS, all of this is said of the plain bytes; close_notify is FIN, and FIN without it is FIN too, as whoever
 *   must know whether a stream was cut short says its length inside. Of a client that leaves in its handshake,
 *   `ended` alone is told.
 * - Nagle's algorithm is off on both sides and keep-alive is on, after 60 s.
 */
import type { Activity, Address, Command, CoreEvent, ListenerSlot } from '../core/contract.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface Driver extends Activity {
  /**
   * A descriptor to write eight bytes to after each message, where the driver sleeps outside the event loop. It
   * stays open until the driver's estate is settled.
   */
  readonly wakeFd?: number | undefined;
  /**
   * Accepts connections on an address for a listener, from when the promise is fulfilled. A listener may
   * have several. Port 0 takes a free one.
   * An address that this driver listens on already is handed to the listener named now, without a gap.
   * Rejects with the system's error (`code` is EADDRINUSE, EACCES, …).
   */
  listen(listener: ListenerSlot, address: Address, options: ListenOptions): Promise<Address>;
  /**
   * Stops accepting on an address, as `listen` gave it back; what waits to be accepted is still taken. `uring` also
   * takes those whose handshakes are under way, and so needs a moment; `portable` closes at once.
   */
  unlisten(address: Address, options?: UnlistenOptions): Promise<void>;
  /** Relay commands and their like; never `report`, which is no driver's business. */
  execute(command: DriverCommand): void;
  /** Calls `host.deadline()` once, at this time; a later call replaces an earlier one. */
  wakeAt(deadlineMs: number | undefined): void;
  /** Resets every session and closes every listener. No event follows. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Other threads listen on this address too (SO_REUSEPORT). */
  readonly shared: boolean;
  /** A unix socket's name is another driver's of this process, and is taken from it: it goes on without one. */
  readonly replaces?: boolean;
  /** A socket that listens there already, left by a driver that has ended: it is this driver's from now on. */
  readonly adopt?: number | undefined;
}

export interface UnlistenOptions {
  /** Another socket is bound there right after: better that clients ask again than that they are refused until then. */
  readonly isSucceeded?: boolean;
}

export interface DriverModule {
  readonly name: 'uring' | 'portable';
  /** Whether several threads can listen on one port here. */
  readonly sharesPorts: boolean;
  /** Whether it terminates clients' TLS and dials backends over TLS. */
  readonly speaksTls: boolean;
  /** `estate`: zeroed memory for it to note what it holds, where the module asks for that. */
  create(host: DriverHost, estate?: SharedArrayBuffer): Driver;
  /** Absent where all that a driver holds ends with its thread. */
  readonly estate?: {
    readonly bytes: number;
    /**
     * To be called once the thread of the driver has ended, in whatever way: resets the sessions that it left, and
     * gives back all else that it held but for the sockets that listen. Those are the caller's now, with the clients
     * that wait in their queues: for a successor to adopt, or to be closed.
     */
    settle(estate: SharedArrayBuffer): readonly ListeningSocket[];
  };
}

export interface ListeningSocket {
  readonly address: Address;
  readonly fd: number;
}

export type DriverCommand = Exclude<Command, { readonly kind: 'report' }>;

/** What a driver is given: where its events go, the clock, and where it counts bytes. */
export interface DriverHost {
  emit(event: CoreEvent): void;
  /** The time given to `wakeAt` has come. */
  deadline(): void;
  /**
   * Takes in what the control plane has sent. Node's event loop does that by itself; a driver that blocks its
   * thread elsewhere calls it when its `wakeFd` was written to.
   */
  receive(): void;
  /** What TLS session tickets are sealed with: the same in all threads, so that each opens the others'. */
  readonly ticketKeys: TicketKeys;
  /** The monotonic clock that all threads share, in milliseconds. */
  now(): number;
  /** Called with every delivery: an add to two numbers, cheap enough for every chunk. */
  countBytes(listener: ListenerSlot, toBackend: number, toClient: number): void;
}
