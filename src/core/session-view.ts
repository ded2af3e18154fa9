/** Open sessions as people look at them. */
import type { Links } from './links.ts';
import type { Session } from './session.ts';
import { matches, type SessionFilter, type SessionPage, type SessionView } from './session-list.ts';

/** Links, for a list of sessions, before bytes have their turn: a session has two. */
const mostLookedAt = 2_000;

export function viewOf(session: Session, nowMs: number): SessionView {
  const { listener, client, learned, acceptedMs, link, lease, isClientOpen, connectMs, context } = session;
  const { activity } = context;
  const { stage } = session;
  const isJoined = connectMs !== undefined && lease !== undefined;
  const open = isClientOpen ? link : isJoined ? lease.link : undefined;
  const lastByteMs = open === undefined ? acceptedMs : Math.max(acceptedMs, activity.lastByteMs(open));
  return {
    serial: session.serial,
    state: stage.state,
    listener: listener.plan.name,
    client: { address: client.address, port: client.port },
    pool: session.poolName,
    backend: session.lastBackend?.plan.name,
    protocol: learned?.protocol,
    sni: learned?.sni,
    alpn: learned?.alpn,
    ageMs: nowMs - acceptedMs,
    idleMs: nowMs - lastByteMs,
    queueMs: session.queueMs + stage.queuedForMs(nowMs),
    connectMs,
    attempts: session.attempts,
    bytesToBackend: isJoined ? activity.sentBytes(lease.link) : session.bytesToBackend,
    bytesToClient: isClientOpen ? activity.sentBytes(link) : session.bytesToClient,
  };
}

/** Up to `most` that pass the filter; `from` and `next` are numbers of links. */
export function pageOf(
  links: Links<Session>,
  filter: SessionFilter,
  from: number,
  most: number,
  nowMs: number,
): SessionPage {
  const sessions: SessionView[] = [];
  const end = Math.min(links.end, from + mostLookedAt);
  let at = from;
  for (; at < end && sessions.length < most; at++) {
    const session = links.sessionOf(at);
    // By the client's link, as long as that is open.
    const isSeen = session !== undefined && (at % 2 === 0 || !session.isClientOpen);
    const view = isSeen ? viewOf(session, nowMs) : undefined;
    if (view !== undefined && matches(filter, view)) sessions.push(view);
  }
  return { sessions, next: at < links.end ? at : undefined };
}
