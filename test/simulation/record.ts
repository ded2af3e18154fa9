import type { CoreEvent, SessionRecord } from '../../src/core/contract.ts';
import type { EndedBy } from '../../src/core/reasons.ts';
import type { ShadowSession } from './shadow-session.ts';
import { must } from './violation.ts';

/** That the line about a session says what the session was. */
export function checkRecord(
  session: ShadowSession,
  event: Extract<CoreEvent, { readonly kind: 'ended' }>,
  record: SessionRecord,
  nowMs: number,
): void {
  const pools = [session.pool, session.mayHaveMovedTo].map((pool) => pool?.plan.name);
  const lacksPool = session.entry === undefined || (session.mayLackPool && record.pool === undefined);
  const expected: Omit<SessionRecord, 'queueMs' | 'reason'> & { endedBy: EndedBy } = {
    listener: session.listener.name,
    client: session.client,
    pool: lacksPool ? undefined : (pools.find((name) => name === record.pool) ?? pools[0]),
    backend: session.backendName,
    attempts: session.attempts,
    connectMs: session.connectMs,
    durationMs: nowMs - session.acceptedMs,
    bytesToBackend: event.bytesToBackend,
    bytesToClient: event.bytesToClient,
    sni: undefined,
    protocol: undefined,
    uniqueId: undefined,
    endedBy: record.reason === 'client-left' ? 'client' : session.endedBy,
  };
  for (const [field, value] of Object.entries(expected)) {
    const found: unknown = Object.entries(record).find(([name]) => name === field)?.[1];
    must(found === value, () => `session ${session.id} reports ${field} ${found}, expected ${value}`);
  }
  const { reason, queueMs, durationMs } = record;
  const { reasons } = session;
  must(reasons.includes(reason), () => `reason is ${reason}, expected ${reasons.join(' or ')}`);
  must(queueMs >= 0 && queueMs <= durationMs, () => `queueMs ${queueMs} of ${durationMs} ms`);
}
