/** What the control plane and a worker say to each other. */
import type { LogConfig } from '../config/config.ts';
import type { Address, ListenerSlot, WorkerEvent } from '../core/contract.ts';
import type { LedgerCapacity } from '../core/ledger/ledger.ts';
import type { CircuitIncident, FailedDial } from '../core/reports.ts';
import type { SessionFilter, SessionPage } from '../core/session-list.ts';
import type { ListenOptions, UnlistenOptions } from '../drivers/driver.ts';

/** What a worker starts with. */
export interface WorkerInit {
  readonly worker: number;
  readonly driver: 'uring' | 'portable';
  readonly ledger: SharedArrayBuffer;
  /** For the driver to note what it holds, where it wants that. */
  readonly resources: SharedArrayBuffer | undefined;
  readonly capacity: LedgerCapacity;
  readonly log: LogConfig;
  /** This worker's share of all that peers can make the proxy hold. */
  readonly bufferBytes: number;
  /** The memory of what TLS session tickets are sealed with. */
  readonly ticketKeys: SharedArrayBuffer;
}

export type ToWorker =
  | Notice
  /** Answered by `done` or `failed` with the same request. */
  | {
      readonly kind: 'listen';
      readonly request: number;
      readonly listener: ListenerSlot;
      readonly address: Address;
      readonly options: ListenOptions;
    }
  | {
      readonly kind: 'unlisten';
      readonly request: number;
      readonly address: Address;
      readonly options: UnlistenOptions;
    }

  /** Answered by `sessions` with the same request. */
  | {
      readonly kind: 'list-sessions';
      readonly request: number;
      readonly filter: SessionFilter;
      readonly from: number;
      readonly most: number;
    }
  /** Those of this worker. */
  | Extract<WorkerEvent, { readonly kind: 'end-sessions' }>;

/** What all workers are told alike. */
export type Notice =
  /** What the core is told as it is: `woken` where a worker has died, `drain` is answered by `drained` in the end. */
  | Extract<WorkerEvent, { readonly kind: 'plan' | 'health-changed' | 'woken' | 'refuse-waiting' | 'drain' }>
  | { readonly kind: 'log'; readonly log: LogConfig }
  /** Answered in the ledger: how long after `askedMs` it was handled. */
  | { readonly kind: 'sign-of-life'; readonly askedMs: number }
  /** Answered by the thread's end. */
  | { readonly kind: 'stop' };

export interface ToldDial extends FailedDial {
  readonly pool: string;
}

export type FromWorker =
  | { readonly kind: 'ready'; readonly wakeFd: number | undefined }
  | { readonly kind: 'done'; readonly request: number; readonly address: Address }
  | { readonly kind: 'failed'; readonly request: number; readonly code: string; readonly message: string }
  | { readonly kind: 'sessions'; readonly request: number; readonly page: SessionPage }
  | { readonly kind: 'drained' }
  | WorkerNews;

/** What a worker has found, whichever it is. */
export type WorkerNews =
  /** No descriptor was left for a client or a dial; told now and then for as long as that happens. */
  | { readonly kind: 'out-of-descriptors' }
  /** A client was turned away because the listener is full; told as often as that. */
  | { readonly kind: 'listener-full'; readonly listener: string }
  /** The worker has changed a breaker's state, and logged that. */
  | CircuitIncident
  /** Not of every one: see `ToldDials`. */
  | ({ readonly kind: 'dial-failed' } & ToldDial)
  /** Finished log lines, JSON, each with its newline. */
  | { readonly kind: 'log-lines'; readonly lines: string };
