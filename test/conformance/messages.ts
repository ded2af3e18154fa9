/** What the rig and the thread with the driver say to each other. */
import type { Address, LinkEnd, LinkEvent, LinkId } from '../../src/core/contract.ts';
import type { BackendTls, ListenerTls } from '../../src/core/plan.ts';
import type { DriverCommand } from '../../src/drivers/driver.ts';

export type DriverName = 'uring' | 'portable' | 'portable by documented means';

export interface DriverOptions {
  /** The memory of ticket keys; new ones where absent. */
  readonly ticketKeys?: SharedArrayBuffer;
  /** All that peers can make it hold; a default of the rig's where absent. */
  readonly bufferBytes?: number;
  /** Every client is secured before the rig hears of it, and every backend before it counts as connected. */
  readonly tls?: { readonly listener: ListenerTls; readonly backend: BackendTls };
}

export interface DialOptions {
  /** Goes out ahead of the client's bytes, and of TLS. */
  readonly first?: Uint8Array;
  readonly tls?: BackendTls;
  readonly serverName?: string;
}

/** What the brain does by itself, inside the event. */
export interface Rules {
  /** Where accepted links are dialed. */
  readonly target: Address | undefined;
  /** Whether a connected backend is joined to its client. */
  readonly joinsAtOnce: boolean;
  /** Whether accepted links are inspected. */
  readonly inspectsAccepted: boolean;
  /** So many bytes of what was received are discarded, and the link is inspected again. */
  readonly discards: number;
}

/** A client's link and the last one that was dialed for it are both closed. */
export interface Over {
  readonly kind: 'over';
  readonly link: LinkId;
  readonly client: LinkEnd;
  /** Undefined where none was connected. */
  readonly backend: LinkEnd | undefined;
  readonly firstFin: 'client' | 'backend' | undefined;
  readonly bytesToBackend: number;
  readonly bytesToClient: number;
}

/** As a message carries it. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly link: LinkId;
  readonly listener: number;
  readonly peer: { readonly address: string; readonly port: number };
}

/** Events of a dialed link name the client that it was dialed for. */
export type RigEvent =
  | Accepted
  | (Exclude<LinkEvent, { readonly kind: 'accepted' }> & { readonly client?: LinkId })
  | Over
  | { readonly kind: 'exhausted'; readonly what: 'memory' | 'descriptors' }
  | { readonly kind: 'turned-away'; readonly listener: number; readonly peer: Accepted['peer'] };

export type Question =
  | { readonly what: 'create'; readonly driver: DriverName; readonly options: DriverOptions }
  | {
      readonly what: 'listen';
      readonly listener: number;
      readonly address: Address;
      readonly shared: boolean;
      readonly isPaused?: boolean;
    }
  | { readonly what: 'unlisten'; readonly address: Address; readonly isSucceeded: boolean }
  | { readonly what: 'lastByteMs' | 'sentBytes' | 'waitingBytes'; readonly link: LinkId }
  | { readonly what: 'localEndpoint'; readonly link: LinkId }
  /** What the driver has taken and not given back, where it tells; memory of the thread's own. */
  | { readonly what: 'held' | 'arrayBuffers' }
  /** Closes the driver; answers with what broke a promise of the contract. */
  | { readonly what: 'dispose' };

export type ToThread =
  | { readonly kind: 'ask'; readonly request: number; readonly question: Question }
  | { readonly kind: 'execute'; readonly commands: readonly DriverCommand[] }
  | { readonly kind: 'dial'; readonly link: LinkId; readonly address: Address; readonly options: DialOptions }
  /** Closes a client, and whom it was dialed to. */
  | { readonly kind: 'close'; readonly link: LinkId; readonly how: 'fin' | 'reset' }
  /** Resets whom a client was dialed to. */
  | { readonly kind: 'reset-backend'; readonly link: LinkId }
  | { readonly kind: 'rules'; readonly rules: Rules }
  /** One call after the other. */
  | { readonly kind: 'wake-at'; readonly deadlinesMs: readonly (number | undefined)[] }
  /** The thread sleeps until it is let go: whatever comes meanwhile has to wait. */
  | { readonly kind: 'stall' };

export type FromThread =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'answer';
      readonly request: number;
      readonly value: unknown;
      readonly wakeFd?: number | undefined;
    }
  | { readonly kind: 'failed'; readonly request: number; readonly code: string; readonly message: string }
  | { readonly kind: 'deadline'; readonly atMs: number }
  | { readonly kind: 'event'; readonly event: RigEvent };

/** 32-bit words of memory that both sides share. */
export const shared = { toBackend: 0, toClient: 1, isStalled: 2, buffersHold: 3, words: 4 } as const;

export const listenerSlot = 7;
export const backendSlot = 5;
