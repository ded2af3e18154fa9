/** The routes that take their time: waiting for something, and the stream of events. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { open, startAdmin } from './fixture.ts';

const json = { 'content-type': 'application/json' };

describe('GET /api/v1/wait', () => {
  const path = '/api/v1/wait?pool=app&backend=10.0.0.1:9000';

  test('answers once a backend has no session left', async () => {
    const { ask, source } = await startAdmin();
    source.workers[0].backendActive.tryTake(0, 9);
    const waiting = ask(`${path}&until=idle&timeout=20s`);
    expect((await ask(`${path}&until=idle&timeout=60ms`)).status).toBe(408);
    source.workers[0].backendActive.release(0);
    const { status, body } = await waiting;
    expect([status, JSON.parse(body)]).toMatchObject([200, { address: '10.0.0.1:9000', active: 0 }]);
  });

  test('does not give up over a time in which this thread was stopped', async () => {
    const { ask, source } = await startAdmin();
    source.workers[0].backendActive.tryTake(0, 9);
    const waiting = ask(`${path}&until=idle&timeout=400ms`);
    await setTimeout(100);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 600);
    // What has come meanwhile is read first.
    await setTimeout(20);
    source.workers[0].backendActive.release(0);
    expect((await waiting).status).toBe(200);
  });

  test('answers for a pool once nobody has a place or waits for one', async () => {
    const { ask, source } = await startAdmin();
    source.workers[1].poolQueued.tryTake(0, 9);
    const waiting = ask('/api/v1/wait?pool=app&until=idle&timeout=20s');
    expect((await ask('/api/v1/wait?pool=app&until=idle&timeout=60ms')).status).toBe(408);
    source.workers[1].poolQueued.release(0);
    expect((await waiting).status).toBe(200);
  });

  test('answers once a backend takes sessions', async () => {
    const { ask, source } = await startAdmin();
    Atomics.store(source.ledger.health, 0, 2);
    const waiting = ask(`${path}&until=up&timeout=20s`);
    expect((await ask('/api/v1/wait?pool=app&until=up')).status).toBe(200);
    expect((await ask(`${path}&until=up&timeout=60ms`)).body).toContain('"unavailable":"down"');
    Atomics.store(source.ledger.health, 0, 1);
    expect((await waiting).status).toBe(200);
  });

  test('says when it can not come true any more', async () => {
    const { ask, source } = await startAdmin();
    Atomics.store(source.ledger.health, 0, 2);
    const waiting = ask(`${path}&until=up&timeout=20s`);
    const [pool, ...others] = source.plan.pools;
    if (pool === undefined) throw new Error('Expected a pool');
    await ask('/livez');
    source.plan = { ...source.plan, pools: [{ ...pool, backends: pool.backends.slice(1) }, ...others] };
    const { status, body } = await waiting;
    expect([status, body]).toEqual([409, expect.stringContaining('any more')]);
  });

  test.each([
    ['?until=idle', 422, 'Expected the name of a pool'],
    ['?pool=app', 422, 'Expected one of idle, up'],
    ['?pool=app&until=toString', 422, 'Expected one of idle, up'],
    ['?pool=app&until=idle&timeout=5', 422, 'a duration such as'],
    ['?pool=app&until=idle&timeout=1h', 422, 'at most'],
    ['?pool=apq&until=idle', 404, 'did you mean'],
    ['?pool=app&backend=x&until=idle', 404, 'There is no backend'],
  ])('refuses %s: %i', async (query, status, message) => {
    const { ask } = await startAdmin();
    const answer = await ask(`/api/v1/wait${query}`);
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(message)]);
  });
});

describe('GET /api/v1/events', () => {
  async function stream(
    address: Parameters<typeof open>[0],
    headers: Record<string, string> = {},
    query = '',
  ) {
    const asked = open(address, `/api/v1/events${query}`, { headers });
    const [response]: IncomingMessage[] = await once(asked, 'response');
    let text = '';
    response?.on('data', (bytes: Buffer) => {
      text += bytes.toString();
    });
    response?.on('error', () => {});
    return { response, text: () => text, leave: () => asked.destroy() };
  }

  test('tells what happens while somebody listens, and behind the last event to who comes back', async () => {
    const { source, address } = await startAdmin();
    const first = await stream(address);
    expect(first.response?.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    source.events.publish('health', { pool: 'app', backend: 'a', health: 'down', detail: 'refused' });
    await eventually(async () => expect(first.text()).toContain('event: health\ndata: {"at":'));
    first.leave();
    source.events.publish('circuit', { pool: 'app', backend: 'a', circuit: 'open' });
    const again = await stream(address, { 'last-event-id': '0-1' });
    await eventually(async () => expect(again.text()).toContain('id: 0-2\nevent: circuit\n'));
    expect(again.text()).not.toContain('event: health');
    again.leave();
  });

  test('tells of a gap to who comes back too late, or from another process', async () => {
    const { address } = await startAdmin();
    const { text, leave } = await stream(address, { 'last-event-id': 'zz-7' });
    await eventually(async () => expect(text()).toContain('event: gap'));
    leave();
  });

  test('has what status says between the events, for whoever asks for it', async () => {
    const { address, ask } = await startAdmin();
    const { text, leave } = await stream(address, {}, '?snapshot=1s');
    const snapshots = (): readonly { readonly at: string }[] =>
      [...text().matchAll(/^event: snapshot\ndata: (.*)$/gm)].map(([, data = '']) => JSON.parse(data));
    await eventually(async () => expect(snapshots().length).toBeGreaterThan(1));
    leave();
    const { at, ...said } = snapshots()[0] ?? { at: '' };
    expect(new Date(at).toISOString()).toBe(at);
    const { uptimeSeconds, descriptors, ...status } = JSON.parse((await ask('/api/v1/status')).body);
    expect(said).toMatchObject(status);
  });

  test.each(['0.5s', '2m', 'x', ''])('refuses snapshots every %j', async (every) => {
    const { ask } = await startAdmin();
    const answer = await ask(`/api/v1/events?snapshot=${every}`);
    expect([answer.status, answer.body]).toEqual([422, expect.stringContaining('from \\"1s\\" to')]);
  });

  test('has room for sixteen of one proxy, and for another once one has left', async () => {
    const { address, ask } = await startAdmin();
    const streams = await Promise.all(Array.from({ length: 16 }, () => stream(address)));
    expect((await ask('/api/v1/events')).status).toBe(503);
    expect((await ask('/livez')).status).toBe(200);
    const other = await stream((await startAdmin()).address);
    expect(other.response?.statusCode).toBe(200);
    other.leave();
    streams[0]?.leave();
    await eventually(async () => {
      const { response, leave } = await stream(address);
      leave();
      expect(response?.statusCode).toBe(200);
    });
    for (const one of streams) one.leave();
    await eventually(async () => {
      const { response, leave } = await stream(address);
      leave();
      expect(response?.statusCode).toBe(200);
    });
  });
});

describe('POST /api/v1/pools/POOL/backends/BACKEND/circuit', () => {
  const path = '/api/v1/pools/app/backends/10.0.0.1:9000/circuit';

  test('opens and closes a breaker', async () => {
    const { ask, source, changes } = await startAdmin();
    const opened = await ask(path, { method: 'POST', headers: json, body: '{"to":"open","for":"5s"}' });
    expect([opened.status, JSON.parse(opened.body)]).toMatchObject([200, { circuit: 'open' }]);
    expect(source.ledger.circuit.untilMs[0]).toBe(6_000);
    const closed = await ask(path, { method: 'POST', headers: json, body: '{"to":"closed"}' });
    expect(JSON.parse(closed.body)).toMatchObject({ circuit: 'closed', unavailable: null });
    expect(changes).toMatchObject([{ to: 'open', openForMs: 5_000 }, { to: 'closed' }]);
  });

  test.each(['{}', '{"to":"half-open"}', '{"to":"open","for":5}'])('refuses %s', async (body) => {
    const { ask, source } = await startAdmin();
    expect((await ask(path, { method: 'POST', headers: json, body })).status).toBe(422);
    expect(source.ledger.circuitOf(0)).toBe('closed');
  });
});
