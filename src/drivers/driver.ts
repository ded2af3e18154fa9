/**
 * What every driver must keep to; `test/conformance/` holds the suite that checks it. A driver does and
 * never decides: it accepts, connects, copies and closes, and reports events of its links (`core/contract.ts`).
 * What FIN, RST, close and back-pressure mean for two joined links is in `relay.ts`, for all drivers.
 *
 * - Nothing throws. Failures come back as events, and no event is emitted before `execute` has returned.
 * - Every connect ends in exactly one `connected` or `connect-failed`, unless the link is closed before; every link
 *   that was accepted or connected ends in exactly one `closed`.
 * - What comes from a link that is not joined is held, up to a bound, and delivered once. A link is read only after
 *   the event that made it `held` was handled, so that a `join` in answer to `connected` finds nothing held.
 * - FIN is passed on, in each direction by itself, after all the bytes before it. RST ends both links and is passed
 *   on as RST, behind the bytes that came before it.
 * - An error of one direction never discards what waits in the other: the answer of a
 *   backend that closes without reading is delivered.
 * - A reader that stalls stops the reads on the other side. All memory that peers can make a driver hold has one
 *   bound; while it is nearly reached, links that are not joined are read only while they hold nothing.
 * - The leaving of a peer whose link is not read is noticed as far as the system tells.
 * - Every byte that a peer sent before its FIN is delivered, and what is counted is what was delivered.
 * - Out of descriptors, new clients wait for a moment, for some may be about to be freed; then they are turned away,
 *   each told as `turned-away`. Some descriptors are left for dials and for the control plane. Nothing spins, and open
 *   links go on.
 * - A client that has gone before its address could be asked for is none: it brings no event.
 * - With TLS, all of this is said of the plain bytes; close_notify is FIN, and FIN without it is FIN too, as whoever
 *   must know whether a stream was cut short says its length inside. Of a link that leaves in its handshake, `closed`
 *   alone is told. One that breaks TLS in its stream counts as reset; it gets an alert, and FIN behind that.
 * - A time-out is believed only after what had come was read: `deadline` comes behind a turn that took all of it.
 * - Nagle's algorithm is off on both sides and keep-alive is on, after 60 s.
 */
import type {
  Activity,
  Address,
  BackendSlot,
  Command,
  LinkEvent,
  ListenerSlot,
  WorkerEvent,
} from '../core/contract.ts';
import type { ListenerPolicy, PoolPlan } from '../core/plan.ts';
import type { DescriptorBudget } from './descriptor-budget.ts';
import type { TicketKeys } from './ticket-keys.ts';

export interface Driver extends Activity {
  /**
   * A descriptor to write eight bytes to after each message, where the driver sleeps outside the event loop. It
   * stays open until the driver's resources are reclaimed.
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
   * Stops accepting on an address, as `listen` gave it back; what waits to be accepted is still taken, and those whose
   * handshakes are under way, which takes a moment. Without the C library `portable` can't wait for the latter.
   */
  unlisten(address: Address, options?: UnlistenOptions): Promise<void>;
  execute(command: DriverCommand): void;
  /** Calls `host.deadline()` once, at this time; a later call replaces an earlier one. */
  wakeAt(deadlineMs: number | undefined): void;
  /** Resets every link and stops listening. No event follows. */
  close(): Promise<void>;
}

export interface ListenOptions {
  /** Other threads listen on this address too (SO_REUSEPORT). */
  readonly shared: boolean;
  /** A unix socket's name is another driver's of this process, and is taken from it: it goes on without one. */
  readonly replaces?: boolean;
  /**
   * Clients wait in the queue until the address is handed to a listener without this. `uring` leaves them to the
   * kernel; `portable` has them accepted and looks at none.
   */
  readonly isPaused?: boolean;
  /** A socket that listens there already, left by a driver that has ended: it is this driver's from now on. */
  readonly adopt?: number | undefined;
}

export interface UnlistenOptions {
  /** Another socket has the address, or will right after: better that clients ask again than that they are refused. */
  readonly isSucceeded?: boolean;
}

export interface DriverModule {
  readonly name: 'uring' | 'portable';
  /** Whether several threads can listen on one port here. */
  readonly sharesPorts: boolean;
  /** Why it can't serve a listener that may send its clients to these pools; undefined where it can. */
  refuses(listener: Pick<ListenerPolicy, 'tls'>, pools: readonly PoolPlan[]): string | undefined;
  /** Loads the driver itself, which only its own threads need. */
  load(): Promise<DriverMaker>;
  /** Absent where all that a driver holds ends with its thread. */
  readonly resources?: {
    readonly bytes: number;
    /**
     * To be called once the thread of the driver has ended, in whatever way: resets the links that it left, and
     * gives back all else that it held but for the sockets that listen. Those are the caller's now, with the clients
     * that wait in their queues: for a successor to adopt, or to be closed.
     */
    reclaim(resources: SharedArrayBuffer): readonly ListeningSocket[];
  };
}

/** `resources`: zeroed memory for the driver to note what it holds, where its module asks for that. */
export type DriverMaker = (host: DriverHost, resources?: SharedArrayBuffer) => Driver;

export interface ListeningSocket {
  readonly address: Address;
  readonly fd: number;
}

/** `report`, `tell` and `wake` are the data plane's business. */
export type DriverCommand = Exclude<Command, { readonly kind: 'report' | 'tell' | 'wake' }>;

export type DriverEvent = LinkEvent | Extract<WorkerEvent, { readonly kind: 'exhausted' | 'turned-away' }>;

/** What a driver is given: where its events go, the clock, and where it counts bytes. */
export interface DriverHost {
  /** `nowMs` is the time, by `now`, where the driver knows it already. */
  emit(event: DriverEvent, nowMs?: number): void;
  /** The time given to `wakeAt` has come, and what had come by then was taken. */
  deadline(): void;
  /**
   * Takes in what the control plane has sent. Node's event loop does that by itself; a driver that blocks its
   * thread elsewhere calls it when its `wakeFd` was written to.
   */
  receive(): void;
  /** What its buffers may hold in all, as far as peers decide: this worker's share of the configured bound. */
  readonly bufferBytes: number;
  /** Told what they hold, whenever that has changed or at the end of a turn. */
  buffersHold(bytes: number): void;
  /** Decides whether another client may be accepted; the driver tells it how many dials are to come. */
  readonly descriptors: DescriptorBudget;
  /** What TLS session tickets are sealed with: the same in all threads, so that each opens the others'. */
  readonly ticketKeys: TicketKeys;
  /** The monotonic clock that all threads share, in milliseconds. */
  now(): number;
  /** Called with every delivery between joined links: an add to a few numbers, cheap enough for every chunk. */
  countBytes(listener: ListenerSlot, backend: BackendSlot, toBackend: number, toClient: number): void;
}
