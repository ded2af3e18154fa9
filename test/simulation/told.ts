/**
 * What happens and what is commanded, in words of sessions: the shadow knows nothing of links. The virtual driver
 * translates.
 */
import type { Command, ConnectFailure, WorkerEvent } from '../../src/core/contract.ts';
import type { Address, BackendSlot, ListenerTls } from '../../src/core/plan.ts';
import type { EndedBy } from '../../src/core/reasons.ts';

export type SessionEvent =
  | { readonly kind: 'accepted'; readonly session: number; readonly listener: number; readonly client: End }
  | { readonly kind: 'received'; readonly session: number; readonly bytes: Uint8Array }
  | { readonly kind: 'secured'; readonly session: number; readonly alpn: string | undefined }
  | { readonly kind: 'secure-failed'; readonly session: number }
  /** The backend is there; with TLS its handshake is still to come. */
  | { readonly kind: 'connected'; readonly session: number }
  | { readonly kind: 'backend-secured'; readonly session: number }
  /** The handshake with the backend has failed; its link is there still. */
  | { readonly kind: 'backend-refused'; readonly session: number }
  | { readonly kind: 'dial-failed'; readonly session: number; readonly why: ConnectFailure }
  /** The link of a dial that was given up has ended. */
  | { readonly kind: 'dial-aborted'; readonly session: number }
  | {
      readonly kind: 'half-closed';
      readonly session: number;
      readonly side: 'client' | 'backend';
      readonly unsentBytes: number;
    }
  /** One of two links has ended by itself, and not in order; the other is there still. */
  | {
      readonly kind: 'parted';
      readonly session: number;
      readonly how: 'client-left' | 'client-reset' | 'backend-reset';
      readonly isCut: boolean;
      readonly hasBackend: boolean;
    }
  /** The backend's link of a session has ended; the client's is there still. */
  | { readonly kind: 'backend-gone'; readonly session: number }
  /** The client's link of a closing session has ended, and a dial is still being given up. */
  | { readonly kind: 'client-gone'; readonly session: number }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'ended';
      readonly session: number;
      readonly how: 'finished' | 'client-reset' | 'backend-reset';
      readonly endedBy: EndedBy;
      readonly bytesToBackend: number;
      readonly bytesToClient: number;
    };

export type Told = SessionEvent | WorkerEvent;

export interface End {
  readonly address: string;
  readonly port: number;
}

export type ToldCommand =
  | { readonly kind: 'inspect'; readonly session: number; readonly beyond: number }
  | { readonly kind: 'discard'; readonly session: number; readonly bytes: number }
  | { readonly kind: 'send'; readonly session: number; readonly word: string }
  | {
      readonly kind: 'secure';
      readonly session: number;
      readonly tls: ListenerTls;
      readonly serverName: string | undefined;
    }
  | {
      readonly kind: 'dial';
      readonly session: number;
      readonly backend: BackendSlot;
      readonly address: Address;
    }
  | { readonly kind: 'originate'; readonly session: number; readonly preamble: Uint8Array | undefined }
  | { readonly kind: 'abort-dial'; readonly session: number }
  | { readonly kind: 'relay'; readonly session: number; readonly preamble: Uint8Array | undefined }
  | { readonly kind: 'close'; readonly session: number; readonly how: 'fin' | 'reset' }
  | Extract<Command, { readonly kind: 'report' }>;

export type ToldOf<Kind extends Told['kind']> = Extract<Told, { readonly kind: Kind }>;
export type ToldCommandOf<Kind extends ToldCommand['kind']> = Extract<ToldCommand, { readonly kind: Kind }>;
