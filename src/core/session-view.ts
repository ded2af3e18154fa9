/** An open session as people look at it. */
import type { Session } from './session.ts';
import type { SessionView } from './session-list.ts';

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
