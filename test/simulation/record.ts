import type { SessionRecord } from '../../src/core/reports.ts';
import { isDrawnId, unseenId } from './preambles.ts';
import type { ShadowSession } from './shadow-session.ts';
import type { ToldOf } from './told.ts';
import { must } from './violation.ts';

/** That the line about a session says what the session was. */
export function checkRecord(
  session: ShadowSession,
  event: ToldOf<'ended'>,
  record: SessionRecord,
  nowMs: number,
): void {
  const pools = [session.pool, ...session.mayBeIn].map((pool) => pool?.plan.name);
  const lacksPool = session.mayLackPool && record.pool === undefined;
  const { sni, protocol, alpn, handshake } = session.arrival;
  const { failedDials } = session;
  const attempts = session.attempts - session.heldAttempts;
  const isUnseen =
    session.uniqueId === unseenId && record.uniqueId !== undefined && isDrawnId(record.uniqueId);
  const expected: Readonly<
    Record<keyof Omit<SessionRecord, 'queueMs' | 'reason' | 'detail' | 'isEmpty'>, unknown>
  > = {
    listener: session.listener.name,
    client: session.arrival.client,
    pool: lacksPool ? undefined : (pools.find((name) => name === record.pool) ?? pools[0]),
    backend: session.backendName,
    backendName: undefined,
    attempts,
    dials: attempts > 1 && failedDials.length > 0 ? failedDials : undefined,
    // To the microsecond.
    connectMs: session.connectMs && Math.round(session.connectMs * 1_000) / 1_000,
    firstByteMs: undefined,
    durationMs: nowMs - session.acceptedMs,
    bytesToBackend: event.bytesToBackend,
    bytesToClient: event.bytesToClient,
    sni,
    protocol,
    alpn,
    tlsVersion: handshake && 'TLSv1.3',
    clientSubject: undefined,
    uniqueId: isUnseen ? record.uniqueId : session.uniqueId,
    endedBy: record.reason === 'client-left' ? 'client' : session.endedBy,
  };
  for (const [field, value] of Object.entries(expected)) {
    const found: unknown = Object.entries(inWords(record)).find(([name]) => name === field)?.[1];
    const says = JSON.stringify(found);
    const wanted = JSON.stringify(value);
    must(says === wanted, () => `session ${session.id} reports ${field} ${says}, expected ${wanted}`);
  }
  const { reason, queueMs, durationMs } = record;
  const { reasons } = session;
  must(reasons.includes(reason), () => `reason is ${reason}, expected ${reasons.join(' or ')}`);
  must(reason !== 'tls-failed' || record.detail !== undefined, () => `${reason} has no detail`);
  const isSilent = reason === 'client-left' && record.pool === undefined && !session.arrival.hasSpoken;
  must(!record.isEmpty || isSilent, () => `${reason} is said to be empty`);
  must(queueMs >= 0 && queueMs <= durationMs, () => `queueMs ${queueMs} of ${durationMs} ms`);
}

function inWords(record: SessionRecord) {
  const { address, port } = record.client;
  return { ...record, client: { address, port }, dials: record.dials?.map(({ backend }) => backend) };
}
