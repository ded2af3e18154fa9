import type { BackendSlot, CloseHow, ConnectFailure, LinkEnd, TlsSession } from '../contract.ts';
import type { Pool } from '../pool.ts';
import type { SessionState } from '../session-list.ts';

/** Why the proxy cuts a session short. */
export type CutReason = 'drain-timeout' | 'backend-down' | 'overloaded' | 'operator';

/** What a session is at. An event that a stage does not handle means nothing there. */
export class Stage {
  received(_bytes: Uint8Array, _nowMs: number): void {}
  /** By the backend. */
  certificateShown(_notAfterMs: number): void {}
  tlsEstablished(_tls: TlsSession, _nowMs: number): void {}
  tlsFailed(_detail: string, _nowMs: number): void {}
  connected(_nowMs: number): void {}
  /** The last event of a dialed link, which the session has still. */
  connectFailed(_why: ConnectFailure, _detail: string, _nowMs: number): void {}
  backendClosed(_end: LinkEnd, _nowMs: number): void {}
  /** From the backend. */
  firstByteCame(_nowMs: number): void {}
  /** FIN came, on the client's link until that is joined. */
  halfClosed(_heldBytes: number, _nowMs: number): void {}
  clientClosed(_end: LinkEnd, _nowMs: number): void {}
  /** Its time is over. */
  due(_nowMs: number): void {}
  backendWentDown(_backend: BackendSlot, _nowMs: number): void {}
  /** An operator holds this pool from now on. */
  poolHeld(_pool: Pool): void {}
  /** Pools are gone from the plan, and maybe this session's. */
  poolRetired(_nowMs: number): void {}
  /** The proxy wants to end it; by `reset`, what was under way is cut, and both sides see it. */
  cut(_reason: CutReason, _nowMs: number, _how?: CloseHow, _detail?: string): void {}
  /** None of the session's links is open. */
  over(_nowMs: number): void {}

  /** It was sent FIN and is waited for no longer. Returns whether a link was open still, and is reset. */
  stopLingering(): boolean {
    return false;
  }

  /** How long it has stood in the queue in which it stands. */
  queuedForMs(_nowMs: number): number {
    return 0;
  }

  get state(): SessionState {
    return 'inspecting';
  }

  get isAdmission(): boolean {
    return false;
  }
}

/** Before the first event. */
export const notBegun = new Stage();
