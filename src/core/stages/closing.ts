/** It is known how the session ends, which is over once its links have; what stays open is reset in the end. */
import type { CloseHow, ConnectFailure, LinkEnd, LinkId } from '../contract.ts';
import type { Reason } from '../reasons.ts';
import type { Ending, Session } from '../session.ts';
import type { SessionState } from '../session-list.ts';
import { type CutReason, Stage } from './stage.ts';

/** How long a peer that was sent FIN may take to close, before it is reset. */
export const lingerMs = 1_000;

/** Closes a link, and its partner with it; where that is by FIN, it is waited for. */
export function close(
  session: Session,
  link: LinkId | undefined,
  ending: Ending,
  how: CloseHow,
  nowMs: number,
) {
  const isWaitedFor = how === 'fin' && link !== undefined;
  const stage = new Closing(session, ending, isWaitedFor ? nowMs + lingerMs : undefined);
  session.stage = stage;
  session.context.unserved.delete(session);
  if (link !== undefined) session.context.command({ kind: 'close', link, how });
  stage.setTimer(nowMs);
}

/** No backend serves the client: it was refused, cut or has left. */
export function endUnserved(session: Session, ending: Ending, how: CloseHow, nowMs: number): void {
  close(session, session.isClientOpen ? session.link : undefined, ending, how, nowMs);
  if (how === 'fin' && session.isClientOpen) session.context.lingering.add(session.stage);
}

export function clientLeft(session: Session, nowMs: number): void {
  endUnserved(session, { reason: 'client-left', endedBy: 'client' }, 'fin', nowMs);
}

export function refuseClient(
  session: Session,
  { reason, detail, with: how }: { reason: Reason; detail?: string | undefined; with?: 'fin' },
  nowMs: number,
): void {
  const asListenerSays = session.listener.plan.policy.refuseWith === 'reset' ? 'reset' : 'fin';
  endUnserved(session, { reason, endedBy: 'proxy', detail }, how ?? asListenerSays, nowMs);
}

export class Closing extends Stage {
  readonly #session: Session;
  readonly #ending: Ending;
  /** When what is open then is reset; undefined where nothing is waited for. */
  #resetMs: number | undefined;
  /** Since when all has been sent that was to be. From then on a peer has `lingerMs` to close. */
  #emptySinceMs: number | undefined;

  constructor(session: Session, ending: Ending, resetMs: number | undefined) {
    super();
    this.#session = session;
    this.#ending = ending;
    this.#resetMs = resetMs;
  }

  override due(nowMs: number): void {
    if (this.#resetMs === undefined) return;
    const isOver = nowMs >= this.#resetMs || nowMs >= (this.#emptySinceMs ?? nowMs) + lingerMs;
    if (isOver) return void this.stopLingering();
    const link = this.#openLink();
    if (link === undefined || this.#session.context.activity.waitingBytes(link) === 0)
      this.#emptySinceMs ??= nowMs;
    this.setTimer(nowMs);
  }

  override cut(_reason: CutReason, nowMs: number): void {
    if (this.#resetMs === undefined || this.#resetMs <= nowMs + lingerMs) return;
    this.#resetMs = nowMs + lingerMs;
    this.setTimer(nowMs);
  }

  override over(nowMs: number): void {
    if (this.#resetMs !== undefined) this.#session.context.lingering.delete(this);
    this.#session.end(this.#ending, nowMs);
  }

  override connectFailed(_why: ConnectFailure, _detail: string, nowMs: number): void {
    this.#session.releaseLease(nowMs);
  }

  override backendClosed(_end: LinkEnd, nowMs: number): void {
    this.#session.releaseLease(nowMs);
  }

  override stopLingering(): boolean {
    if (this.#resetMs === undefined) return false;
    this.#resetMs = undefined;
    this.#session.context.lingering.delete(this);
    this.#session.setTimer(Number.POSITIVE_INFINITY);
    const link = this.#openLink();
    if (link !== undefined) this.#session.context.command({ kind: 'close', link, how: 'reset' });
    return link !== undefined;
  }

  override get state(): SessionState {
    return 'closing';
  }

  setTimer(nowMs: number): void {
    const emptyMs = (this.#emptySinceMs ?? nowMs) + lingerMs;
    this.#session.setTimer(
      this.#resetMs === undefined ? Number.POSITIVE_INFINITY : Math.min(this.#resetMs, emptyMs),
    );
  }

  /** The client's link, and with it its partner; or its partner alone. A dial that was given up is reset already. */
  #openLink(): LinkId | undefined {
    const { isClientOpen, link, connectMs, lease } = this.#session;
    if (isClientOpen) return link;
    return connectMs === undefined ? undefined : lease?.link;
  }
}
