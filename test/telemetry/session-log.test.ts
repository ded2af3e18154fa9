import { describe, expect, test } from 'vitest';
import { Endpoint } from '../../src/core/net/endpoint.ts';
import { reasons } from '../../src/core/reasons.ts';
import type { SessionRecord } from '../../src/core/reports.ts';
import type { SessionView } from '../../src/core/session-list.ts';
import { batchMs } from '../../src/telemetry/lines.ts';
import { SessionLog, type SessionLogConfig } from '../../src/telemetry/session-log.ts';

const finished: SessionRecord = {
  listener: 'web',
  client: new Endpoint([0, 0, 0xffff, 0xcb00_7107 | 0], 50_123),
  pool: 'app',
  backend: '10.0.0.1:9000',
  backendName: undefined,
  attempts: 1,
  queueMs: 0,
  connectMs: 0.812_345_6,
  firstByteMs: 3.000_49,
  durationMs: 12.345_678,
  bytesToBackend: 5,
  bytesToClient: 0,
  reason: 'finished',
  endedBy: 'client',
  dials: undefined,
  isEmpty: false,
  sni: undefined,
  protocol: undefined,
  alpn: undefined,
  tlsVersion: undefined,
  clientSubject: undefined,
  uniqueId: undefined,
  detail: undefined,
};
const refused: SessionRecord = {
  ...finished,
  pool: undefined,
  backend: undefined,
  connectMs: undefined,
  firstByteMs: undefined,
  attempts: 0,
  reason: 'rate-limited',
  endedBy: 'proxy',
};

const defaults: SessionLogConfig = {
  level: 'info',
  sessions: true,
  emptySessions: true,
  fields: undefined,
  samplePercent: 100,
};

function sessionLog(
  level: 'debug' | 'info' | 'warn' | 'error' = 'info',
  sessions: SessionLogConfig['sessions'] = true,
  emptySessions = true,
  random = Math.random,
) {
  const batches: string[] = [];
  const unsent: number[] = [];
  const leftOut: number[] = [];
  const log = new SessionLog(
    { ...defaults, level, sessions, emptySessions },
    {
      send: (lines) => batches.push(lines),
      unsentSince: (ms) => unsent.push(ms),
      leftOut: (lines) => leftOut.push(lines),
    },
    random,
  );
  const lines = (): Record<string, unknown>[] =>
    batches
      .splice(0)
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { log, batches, unsent, leftOut, lines };
}

describe('SessionLog', () => {
  test('writes the fields of the contract, and nothing else', () => {
    const { log, lines } = sessionLog();
    log.write(finished, 0);
    log.flush(0);
    const [line] = lines();
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      listener: 'web',
      pool: 'app',
      backend: '10.0.0.1:9000',
      client: '203.0.113.7:50123',
      attempts: 1,
      queueMs: 0,
      connectMs: 0.812,
      firstByteMs: 3,
      durationMs: 12.346,
      bytesToBackend: 5,
      bytesToClient: 0,
      reason: 'finished',
      endedBy: 'client',
      msg: 'session closed',
    });
  });

  test('writes of sessions that go on where that is wanted, with the names of the fields', () => {
    const view: SessionView = {
      serial: 7,
      state: 'relaying',
      ...{ listener: 'web', pool: 'app', backend: '10.0.0.1:9000' },
      ...{
        client: { address: '203.0.113.7', port: 50_123 },
        protocol: undefined,
        sni: 'a.example',
        alpn: undefined,
      },
      ...{ ageMs: 900.000_4, idleMs: 5, queueMs: 0, connectMs: 0.5, attempts: 1 },
      ...{ bytesToBackend: 3, bytesToClient: 4 },
    };
    const { log, lines } = sessionLog('info', { start: true, everyMs: 60_000 });
    expect([log.logsStart, log.everyMs]).toEqual([true, 60_000]);
    log.opened(view, 0);
    log.continues(view, 0);
    log.configure({ ...defaults, fields: ['client', 'reason'], sessions: { start: false, everyMs: 5 } });
    expect([log.logsStart, log.everyMs]).toEqual([false, 5]);
    log.continues(view, 0);
    log.flush(0);
    const common = { level: 'info', time: expect.any(String) };
    const fields = {
      ...{ listener: 'web', pool: 'app', backend: '10.0.0.1:9000', client: '203.0.113.7:50123' },
      ...{ attempts: 1, queueMs: 0, connectMs: 0.5, durationMs: 900, sni: 'a.example' },
      ...{ bytesToBackend: 3, bytesToClient: 4 },
    };
    expect(lines()).toEqual([
      { ...common, ...fields, msg: 'session opened' },
      { ...common, ...fields, msg: 'session goes on' },
      { ...common, client: '203.0.113.7:50123', msg: 'session goes on' },
    ]);
    for (const [level, sessions] of [
      ['warn', { start: true, everyMs: 5 }],
      ['info', true],
      ['info', false],
    ] as const) {
      const { log: silent } = sessionLog(level, sessions);
      expect([silent.logsStart, silent.everyMs]).toEqual([false, Infinity]);
    }
  });

  test('leaves out what is absent', () => {
    const { log, lines } = sessionLog();
    log.write(refused, 0);
    log.flush(0);
    const [line] = lines();
    expect(Object.keys(line ?? {})).toEqual(
      'level time listener client attempts queueMs durationMs bytesToBackend bytesToClient reason endedBy msg'.split(
        ' ',
      ),
    );
  });

  test.each([
    ['[2001:db8::1]:443', new Endpoint([0x2001_0db8, 0, 0, 1], 443)],
    ['unix', Endpoint.unix],
  ])('writes the client %s', (text, client) => {
    const { log, lines } = sessionLog();
    log.write({ ...finished, client }, 0);
    log.flush(0);
    expect(lines()[0]).toMatchObject({ client: text });
  });

  test('speaks of sessions that ran at info, and of all others at warn', () => {
    const { log, lines } = sessionLog();
    for (const reason of reasons) log.write({ ...finished, reason }, 0);
    log.flush(0);
    const infos = lines().filter(({ level }) => level === 'info');
    expect(infos.map(({ reason }) => reason)).toEqual([
      'finished',
      'client-reset',
      'backend-reset',
      'idle-timeout',
      'half-closed-timeout',
      'lifetime-exceeded',
      'drain-timeout',
      'backend-down',
      'operator',
    ]);
  });

  test('speaks of clients that left without a word at info, ten a second, and apart from refusals', () => {
    const { log, lines } = sessionLog();
    const left: SessionRecord = { ...refused, reason: 'client-left', endedBy: 'client' };
    for (let n = 0; n < 25; n++) log.write({ ...left, isEmpty: true }, 5_000);
    log.write(left, 5_000);
    log.flush(6_000);
    const levels = lines().map(({ level, leftOut }) => [level, leftOut ?? 0]);
    expect(levels).toEqual([...Array(10).fill(['info', 0]), ['warn', 0], ['info', 14]]);
  });

  test.each([
    ['emptySessions', 'info', true, false],
    ['sessions', 'info', false, true],
    ['the level', 'warn', true, true],
  ] as const)(
    'is silent about clients that left without a word where %s says so',
    (_, level, sessions, empty) => {
      const { log, lines } = sessionLog(level, sessions, empty);
      log.write({ ...refused, reason: 'client-left', isEmpty: true }, 0);
      log.flush(Number.POSITIVE_INFINITY);
      expect(lines()).toEqual([]);
      expect(log.nextFlushMs).toBeUndefined();
    },
  );

  test('writes what is known of TLS, names and dials', () => {
    const { log, lines } = sessionLog();
    const known = {
      backendName: 'app.internal',
      alpn: 'h2',
      tlsVersion: 'TLSv1.3',
      clientSubject: 'CN=robot',
      dials: [{ backend: '10.0.0.2:9000', error: 'ECONNREFUSED' }],
    };
    log.write({ ...finished, ...known }, 0);
    log.flush(0);
    expect(lines()[0]).toMatchObject(known);
  });

  test('speaks of failed dials at debug, and of breakers at warn, debug and info', () => {
    const { log, lines } = sessionLog('debug');
    const backend = { pool: 'app', backend: '10.0.0.1:9000' };
    const circuit = { kind: 'circuit', ...backend, slot: 0 } as const;
    const { client } = finished;
    const dial = { ...backend, listener: 'web', attempt: 1, reason: 'connect-refused' } as const;
    const opened = { failures: 5, lastError: 'ECONNREFUSED', openForMs: 5_000 };
    log.writeIncident({ kind: 'dial-failed', ...dial, client, error: 'ECONNREFUSED' }, 0);
    log.writeIncident({ ...circuit, change: { to: 'open', ...opened } }, 0);
    log.writeIncident({ ...circuit, change: { to: 'half-open' } }, 0);
    log.writeIncident({ ...circuit, change: { to: 'closed' } }, 0);
    expect(log.nextFlushMs).toBe(batchMs);
    log.flush(0);
    const time = expect.any(String);
    expect(lines()).toEqual([
      {
        level: 'debug',
        time,
        ...dial,
        client: '203.0.113.7:50123',
        error: 'ECONNREFUSED',
        msg: 'dial failed',
      },
      { level: 'warn', time, ...backend, ...opened, msg: 'circuit opened' },
      { level: 'debug', time, ...backend, msg: 'circuit half-open' },
      { level: 'info', time, ...backend, msg: 'circuit closed' },
    ]);
  });

  test('keeps to the level and to `sessions`, also when a reload changes them', () => {
    const { log, lines } = sessionLog('info', false);
    const reasonsWritten = () => {
      log.write(finished, 0);
      log.write(refused, 0);
      log.flush(0);
      return lines().map(({ reason }) => reason);
    };
    expect(reasonsWritten()).toEqual(['rate-limited']);
    log.configure({ ...defaults, level: 'info' });
    expect(reasonsWritten()).toEqual(['finished', 'rate-limited']);
    log.configure({ ...defaults, level: 'warn' });
    expect(reasonsWritten()).toEqual(['rate-limited']);
    log.configure({ ...defaults, level: 'error' });
    expect(reasonsWritten()).toEqual([]);
    expect(log.nextFlushMs).toBe(1_000);
    log.flush(1_000);
    log.write(refused, 2_000);
    expect(log.nextFlushMs).toBeUndefined();
  });

  test('hands lines over together, a moment after the first', () => {
    const { log, batches } = sessionLog();
    expect(log.nextFlushMs).toBeUndefined();
    log.write(finished, 1_000);
    log.write(finished, 1_050);
    expect(log.nextFlushMs).toBe(1_000 + batchMs);
    expect(batches).toEqual([]);
    log.flush(1_000 + batchMs);
    expect(batches).toHaveLength(1);
    expect(batches[0]?.split('\n')).toHaveLength(3);
    expect(log.nextFlushMs).toBeUndefined();
  });

  test('says since when lines wait, for as long as some do', () => {
    const { log, unsent, lines } = sessionLog();
    for (let n = 0; n < 3; n++) log.write(finished, 0);
    expect(unsent).toHaveLength(1);
    log.flush(0);
    log.flush(0);
    expect(unsent).toEqual([Date.parse(String(lines()[0]?.['time'])), 0]);
  });

  test('hands over no more than 64 KiB at once, and waits for no more', () => {
    const { log, batches } = sessionLog();
    for (let n = 0; n < 1_000; n++) log.write(finished, 0);
    expect(batches.length).toBeGreaterThan(3);
    log.flush(0);
    expect(Math.max(...batches.map((batch) => batch.length))).toBeLessThanOrEqual(65_536);
    expect(batches.every((batch) => batch.endsWith('\n'))).toBe(true);
    expect(batches.join('').match(/\n/g)).toHaveLength(1_000);
  });

  test('writes the fields that are asked for, in their order, and how many lines were left out', () => {
    const { log, lines } = sessionLog();
    log.configure({ ...defaults, fields: ['reason', 'sni', 'client'] });
    log.write(finished, 0);
    for (let n = 0; n < 12; n++) log.write(refused, 0);
    log.flush(1_000);
    const written = lines().map((line) => Object.keys(line).join(' '));
    expect(written[0]).toBe('level time reason client msg');
    expect(written.at(-1)).toBe('level time reason client leftOut msg');
  });

  test('writes a sample of the sessions that went well, and all others', () => {
    const drawn = [0.5, 0.1, 0.9, 0.099, 0.3];
    const random = (): number => drawn.shift() ?? 0;
    const { log, lines } = sessionLog('info', true, true, random);
    log.configure({ ...defaults, samplePercent: 10 });
    for (let n = 0; n < 4; n++) log.write({ ...finished, durationMs: n }, 0);
    log.write({ ...finished, attempts: 2 }, 0);
    log.write({ ...finished, reason: 'backend-reset' }, 0);
    log.write({ ...finished, listener: 'api' }, 0);
    log.write({ ...finished, durationMs: 7 }, 0);
    log.flush(0);
    expect(lines()).toMatchObject([
      { durationMs: 3, leftOut: 3 },
      { attempts: 2 },
      { reason: 'backend-reset' },
      { durationMs: 7 },
    ]);
  });

  test('asks for no flush when nothing was written', () => {
    const { log } = sessionLog('info', false);
    log.write(finished, 0);
    expect(log.nextFlushMs).toBeUndefined();
  });

  test('writes ten refusals a second of a listener and reason, and on the next line how many it left out', () => {
    const { log, lines } = sessionLog();
    for (let n = 0; n < 25; n++) log.write(refused, 5_000 + n);
    log.write({ ...refused, reason: 'listener-full' }, 5_030);
    log.write({ ...refused, listener: 'api' }, 5_031);
    log.write(refused, 6_000);
    log.flush(6_000);
    const written = lines();
    expect(written).toHaveLength(10 + 2 + 1);
    expect(written.map(({ leftOut }) => leftOut ?? 0)).toEqual([...Array(12).fill(0), 15]);
  });

  test('writes the last refusal left out when its second is over, though no other comes', () => {
    const { log, lines } = sessionLog();
    for (let n = 0; n < 25; n++) log.write({ ...refused, durationMs: n }, 5_000);
    log.flush(5_100);
    expect(lines()).toHaveLength(10);
    expect(log.nextFlushMs).toBe(6_000);
    log.flush(5_999);
    expect(lines()).toEqual([]);
    log.flush(6_000);
    expect(lines()).toMatchObject([{ durationMs: 24, leftOut: 14, level: 'warn', msg: 'session closed' }]);
    expect(log.nextFlushMs).toBeUndefined();
  });

  test('leaves no refusal unaccounted for at the end', () => {
    const { log, lines, leftOut } = sessionLog();
    for (let n = 0; n < 1_234; n++) log.write(refused, n * 7);
    log.flush(Number.POSITIVE_INFINITY);
    const written = lines();
    const accounted = written.reduce((sum, { leftOut }) => sum + 1 + Number(leftOut ?? 0), 0);
    expect(accounted).toBe(1_234);
    expect(leftOut.reduce((sum, lines) => sum + lines, 0)).toBe(1_234 - written.length);
    expect(written.length).toBeLessThanOrEqual(11 * Math.ceil((1_234 * 7) / 1_000));
    expect(log.nextFlushMs).toBeUndefined();
  });
});
