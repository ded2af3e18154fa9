/** What an operator does with a pool: it is held, and released. */
import { describe, expect, test } from 'vitest';
import { type Asking, startAdmin } from './fixture.ts';

const path = '/api/v1/pools/app';

async function stage() {
  const { ask, ...others } = await startAdmin();
  return {
    ...others,
    async ask(asked: string, asking?: Asking) {
      const { status, headers, body } = await ask(asked, asking);
      return { status, headers, body: JSON.parse(body) };
    },
  };
}

function patch(body: object, headers: Readonly<Record<string, string>> = {}): Asking {
  return {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  };
}

describe('PATCH /api/v1/pools/POOL', () => {
  test('holds a pool, and says until when, by whom and why', async () => {
    const { ask, changes } = await stage();
    const before = Date.now();
    const { status, headers, body } = await ask(path, patch({ hold: { for: '1m', reason: 'restart' } }));
    expect([status, headers.etag]).toEqual([200, `"${body.revision}"`]);
    expect(body).toMatchObject({
      ...{ pool: 'app', balance: 'round-robin', queueLimit: 1_000 },
      hold: { phase: 'held', then: 'resume', sessions: 'keep', timeoutMs: 30_000, rate: 'unlimited' },
      overrides: [{ field: 'hold', configured: 'off', reason: 'restart' }],
    });
    expect(body.hold).toMatchObject({ by: '127.0.0.1', reason: 'restart' });
    expect(Date.parse(body.hold.until)).toBe(Date.parse(body.hold.since) + 60_000);
    expect(Date.parse(body.hold.since)).toBeGreaterThanOrEqual(before);
    expect((await ask(path)).body).toEqual(body);
    expect((await ask('/api/v1/status')).body.pools.app.hold).toEqual(body.hold);
    expect((await ask('/api/v1/overrides')).body.overrides).toMatchObject([{ pool: 'app', field: 'hold' }]);
    expect(changes).toMatchObject([{ before: [], after: [{ field: 'hold' }], reason: 'restart' }]);
    expect((await ask('/readyz')).status).toBe(200);
  });

  test('releases it, at a rate where one is given', async () => {
    const { ask } = await stage();
    await ask(path, patch({ hold: { for: '1m', timeout: '20s' } }));
    const released = (await ask(path, patch({ hold: null, release: { rate: 100 } }))).body;
    expect(released).toMatchObject({ hold: { phase: 'releasing', rate: 100 }, overrides: [] });
    expect((await ask(path, patch({ release: { rate: 50 } }))).body.hold.rate).toBe(50);
    expect((await ask(path, patch({ hold: null }))).body.hold.rate).toBe('unlimited');
    const again = (await ask(path, patch({ hold: { for: '2m', then: 'refuse' } }))).body;
    expect(again.hold).toMatchObject({ phase: 'held', then: 'refuse' });
    const all = await ask('/api/v1/overrides', { method: 'DELETE' });
    expect([all.status, (await ask(path)).body.hold.phase]).toEqual([200, 'releasing']);
  });

  test('changes nothing of a pool that is not held, whoever releases it', async () => {
    const { ask } = await stage();
    for (const body of [{ hold: null }, { release: {} }])
      expect(await ask(path, patch(body))).toMatchObject({ status: 200, body: { hold: null } });
  });

  test('answers 202 while sessions are to end by themselves', async () => {
    const { ask, source } = await stage();
    source.workers[0].poolActive.tryTake(0, 9);
    const hold = { for: '1m', sessions: 'drain' };
    expect((await ask(path, patch({ hold }))).status).toBe(202);
    source.workers[0].poolActive.release(0);
    expect((await ask(path, patch({ hold }))).status).toBe(200);
  });

  test('is refused where somebody else was faster', async () => {
    const { ask } = await stage();
    const { revision } = (await ask(path)).body;
    const held = patch({ hold: { for: '1m' } }, { 'if-match': `"${revision}"` });
    const answers = await Promise.all([ask(path, held), ask(path, held)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });

  test.each([
    [{}, undefined, 'Expected hold or release'],
    [{ hold: {} }, 'hold.for', 'a hold always ends'],
    [{ hold: { for: '11m' } }, 'hold.for', 'up to "10m"'],
    [{ hold: { for: 5 } }, 'hold.for', 'a duration such as'],
    [{ hold: { for: '1m', then: 'wait' } }, 'hold.then', 'one of resume, refuse'],
    [{ hold: { for: '1m', sessions: 'cut' } }, 'hold.sessions', '"drain", "keep", "close"'],
    [{ hold: { for: '1m', until: '2m' } }, 'hold.until', 'Expected one of for'],
    [{ hold: 'on' }, 'hold', 'Expected a JSON object'],
    [{ hold: { for: '1m' }, release: {} }, 'release', 'no release beside a hold'],
    [{ release: { rate: 0 } }, 'release.rate', 'a number above 0'],
    [{ release: { rate: '5' } }, 'release.rate', 'a number above 0'],
    [{ halt: {} }, 'halt', 'Expected one of hold, release'],
  ])('refuses %j', async (body, at, message) => {
    const { ask } = await stage();
    const answer = await ask(path, patch(body));
    expect([answer.status, answer.body.errors]).toMatchObject([
      422,
      [{ message: expect.stringContaining(message) }],
    ]);
    expect(answer.body.errors[0].path).toBe(at);
    expect((await ask(path)).body.hold).toBeNull();
  });

  test('names the nearest pool', async () => {
    const { ask } = await stage();
    for (const asking of [{}, patch({ hold: { for: '1m' } })]) {
      const { status, body } = await ask('/api/v1/pools/ap', asking);
      expect([status, body.error]).toEqual([404, 'There is no pool "ap"; did you mean "app"?']);
    }
  });
});

describe('GET /api/v1/wait of a pool that is held', () => {
  const wait = (until: string, timeout = '20s') => `/api/v1/wait?pool=app&until=${until}&timeout=${timeout}`;

  test('answers idle once no session is left, however many wait', async () => {
    const { ask, source } = await stage();
    await ask(path, patch({ hold: { for: '1m' } }));
    source.workers[0].poolActive.tryTake(0, 9);
    source.workers[0].poolQueued.tryTake(0, 9);
    const waiting = ask(wait('idle'));
    expect((await ask(wait('idle', '60ms'))).status).toBe(408);
    source.workers[0].poolActive.release(0);
    expect(await waiting).toMatchObject({ status: 200, body: { queue: 1, hold: { phase: 'held' } } });
  });

  test('answers 409 to who waits for idle, and 200 to who waits for it, once it is resumed', async () => {
    const { ask, source } = await stage();
    expect((await ask(wait('resumed'))).status).toBe(200);
    await ask(path, patch({ hold: { for: '1m' } }));
    source.workers[0].poolActive.tryTake(0, 9);
    const [idle, resumed] = [ask(wait('idle')), ask(wait('resumed'))];
    expect((await ask(wait('resumed', '60ms'))).status).toBe(408);
    await ask(path, patch({ hold: null }));
    expect(await idle).toMatchObject({
      status: 409,
      body: { error: expect.stringContaining('was resumed') },
    });
    expect((await resumed).status).toBe(200);
  });
});
