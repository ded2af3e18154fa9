import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { CertificateWatch, type WatchedCertificate } from '../../src/control/certificate-watch.ts';
import { Events } from '../../src/telemetry/events.ts';

const day = 24 * 60 * 60 * 1_000;

function watch(certificates: readonly WatchedCertificate[]) {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (level) => ({ level }) } },
    { write: (line) => lines.push(JSON.parse(line)) },
  );
  const clock = { nowMs: Date.parse('2026-01-01T00:00:00Z'), certificates };
  const events = new Events(0);
  const made = new CertificateWatch(
    () => clock.certificates,
    logger,
    events,
    () => clock.nowMs,
  );
  onTestFinished(() => made.close());
  const lookAfter = (ms: number): readonly Record<string, unknown>[] => {
    clock.nowMs += ms;
    made.look();
    return lines.splice(0);
  };
  return { clock, lookAfter, events };
}

const ends = (time: string, of: WatchedCertificate['of'] = { listener: 'web', name: 'a.example' }) => ({
  of,
  notAfterMs: Date.parse(time),
});

describe('CertificateWatch', () => {
  it('is silent until 14 days before the end, warns then, and says when it is over', () => {
    const { lookAfter } = watch([ends('2026-01-15T01:00:00Z')]);
    expect(lookAfter(0)).toEqual([]);
    const fields = { listener: 'web', name: 'a.example', expires: '2026-01-15T01:00:00.000Z' };
    expect(lookAfter(day / 24)).toEqual([
      { level: 'warn', ...fields, days: 14, msg: 'certificate expires soon' },
    ]);
    expect(lookAfter(13.5 * day)).toEqual([
      { level: 'warn', ...fields, days: 0, msg: 'certificate expires soon' },
    ]);
    expect(lookAfter(day / 2)).toEqual([{ level: 'error', ...fields, msg: 'certificate has expired' }]);
  });

  it('says each once a day, however often it looks', () => {
    const { lookAfter } = watch([
      ends('2026-01-10T00:00:00Z'),
      ends('2025-01-01T00:00:00Z', { pool: 'app', backend: '10.0.0.1:443', name: 'db.internal' }),
    ]);
    const levels = (ms: number) => lookAfter(ms).map(({ level }) => level);
    expect(levels(0)).toEqual(['warn', 'error']);
    for (let minute = 1; minute < 24 * 60; minute++) expect(levels(60_000)).toEqual([]);
    expect(levels(60_000)).toEqual(['warn', 'error']);
  });

  it('tells events too', () => {
    const { lookAfter, events } = watch([ends('2026-01-10T00:00:00Z'), ends('2026-03-01T00:00:00Z')]);
    lookAfter(0);
    lookAfter(10 * day);
    const fields = { listener: 'web', name: 'a.example', expires: '2026-01-10T00:00:00.000Z' };
    expect(events.recent).toMatchObject([
      { kind: 'certificate', data: { ...fields, certificate: 'expiring' } },
      { kind: 'certificate', data: { ...fields, certificate: 'expired' } },
    ]);
  });

  it('speaks of a certificate that takes the place of another as of a new one', () => {
    const { clock, lookAfter } = watch([ends('2026-01-10T00:00:00Z')]);
    expect(lookAfter(0)).toHaveLength(1);
    clock.certificates = [ends('2026-01-12T00:00:00Z')];
    expect(lookAfter(0)).toMatchObject([{ expires: '2026-01-12T00:00:00.000Z' }]);
    clock.certificates = [ends('2027-01-12T00:00:00Z')];
    expect(lookAfter(day)).toEqual([]);
  });
});
