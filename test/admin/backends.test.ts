import { describe, expect, test } from 'vitest';
import { type Asking, startAdmin } from './fixture.ts';

const app = '/api/v1/pools/app/backends/10.0.0.1:9000';
const unix = `/api/v1/pools/app/backends/${encodeURIComponent('unix:/run/app.sock')}`;

function patch(body: unknown, headers: Readonly<Record<string, string>> = {}): Asking {
  return {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

async function stage(given: Parameters<typeof startAdmin>[0] = {}) {
  const admin = await startAdmin(given);
  const ask = async (path: string, asking?: Asking) => {
    const { status, headers, body } = await admin.ask(path, asking);
    return { status, headers, body: JSON.parse(body) };
  };
  return { ...admin, ask };
}

describe('A backend of the admin API', () => {
  test('is shown with its layers and what is overridden', async () => {
    const { ask } = await stage();
    for (const path of [app, unix]) {
      const { status, body, headers } = await ask(path);
      expect(status).toBe(200);
      expect(body).toMatchObject({
        pool: 'app',
        health: 'unknown',
        layers: { configuration: 'ready', operator: 'ready', source: 'ready' },
        ...{ effective: 'ready', weight: 1, maxConnections: 'unlimited', overrides: [] },
      });
      expect(headers.etag).toBe(`"${body.revision}"`);
    }
    expect((await ask(unix)).body.address).toBe('unix:/run/app.sock');
  });

  test('takes on what it is patched with, says by whom and why, and gives it back for null', async () => {
    const { ask, changes } = await stage();
    const before = Date.now();
    const { status, body } = await ask(
      app,
      patch({ state: 'drain', weight: '50%', for: '30m', reason: 'deploy' }),
    );
    expect(status).toBe(200);
    expect(body).toMatchObject({ effective: 'drain', weight: 0.5, layers: { operator: 'drain' } });
    const [state, weight] = body.overrides;
    expect(state).toMatchObject({ field: 'state', value: 'drain', configured: 'ready', reason: 'deploy' });
    expect(weight).toMatchObject({ field: 'weight', value: '50%', configured: 1, by: '127.0.0.1' });
    expect(Date.parse(state.until) - Date.parse(state.since)).toBe(30 * 60_000);
    expect(Date.parse(state.since)).toBeGreaterThanOrEqual(before);

    const back = await ask(app, patch({ state: null }));
    expect(back.body).toMatchObject({ effective: 'ready', weight: 0.5 });
    expect(changes).toMatchObject([
      { method: 'PATCH', path: app, status: 200, reason: 'deploy', before: [], after: [{}, {}] },
      { status: 200, before: [{}, {}], after: [{ field: 'weight' }] },
    ]);
  });

  test('refuses a change of what has changed since, and no other', async () => {
    const { ask } = await stage();
    const first = await ask(app);
    const second = await ask(app, patch({ weight: 3 }, { 'if-match': `"${first.body.revision}"` }));
    expect(second.status).toBe(200);
    const late = await ask(app, patch({ weight: 4 }, { 'if-match': `"${first.body.revision}"` }));
    expect(late.status).toBe(412);
    expect((await ask(app)).body.weight).toBe(3);
    expect((await ask(app, patch({ weight: 5 }, { 'if-match': `"${second.body.revision}"` }))).status).toBe(
      200,
    );
    expect((await ask(app, patch({ weight: 6 }, { 'if-match': '*' }))).status).toBe(200);
  });

  test.each([
    [{ state: 'down' }, 'state', 'one of ready, drain, maint, or null'],
    [{ weight: -1 }, 'weight', 'an integer from 0 to 1000000'],
    [{ weight: 0.5 }, 'weight', 'a share of the configured weight such as "50%"'],
    [{ weight: '50' }, 'weight', '"50%"'],
    [{ maxConnections: 0 }, 'maxConnections', 'an integer from 1'],
    [{ weight: 1, for: 30 }, 'for', 'a duration such as "30s"'],
    [{ weight: 1, for: '0s' }, 'for', 'a duration above 0'],
    [{ weight: 1, reason: 'x'.repeat(201) }, 'reason', 'at most 200 characters'],
    [{ weigth: 1 }, 'weigth', '"weight"'],
    [{ constructor: 1 }, 'constructor', 'one of state, weight'],
    [{}, undefined, 'state, weight, maxConnections or sessions'],
    [{ reason: 'nothing' }, undefined, 'state, weight, maxConnections or sessions'],
    ['[]', undefined, 'a JSON object'],
    ['{', undefined, 'a JSON object'],
  ])('refuses %j and changes nothing', async (body, path, message) => {
    const { ask } = await stage();
    const { revision } = (await ask(app)).body;
    const answer = await ask(app, patch(body));
    expect(answer.status).toBe(422);
    expect(answer.body.errors[0].path).toBe(path);
    expect(answer.body.errors[0].message).toContain(message);
    expect((await ask(app)).body.revision).toBe(revision);
  });

  test.each([
    ['/api/v1/pools/ap/backends/x', 'There is no pool "ap"; did you mean "app"?'],
    [
      '/api/v1/pools/app/backends/10.0.0.1:900',
      'There is no backend "10.0.0.1:900"; did you mean "10.0.0.1:9000"?',
    ],
    ['/api/v1/pools/__proto__/backends/x', 'There is no pool "__proto__"'],
  ])('is not found at %s', async (path, error) => {
    const { ask } = await stage();
    expect(await ask(path)).toMatchObject({ status: 404, body: { error } });
    expect(await ask(path, patch({ weight: 1 }))).toMatchObject({ status: 404, body: { error } });
  });

  test('is written to in JSON alone', async () => {
    const { ask } = await stage();
    const form = patch('state=drain', { 'content-type': 'application/x-www-form-urlencoded' });
    expect((await ask(app, form)).status).toBe(415);
    expect((await ask(app, { method: 'PUT' })).headers.allow).toBe('GET, HEAD, PATCH');
    expect((await ask('/api/v1/pools/%zz/backends/x')).status).toBe(404);
  });
});

describe('Overrides of the admin API', () => {
  test('are listed, and dropped for one backend or for all', async () => {
    const { ask } = await stage();
    for (const path of [app, unix]) await ask(path, patch({ state: 'maint' }));
    const list = async () => (await ask('/api/v1/overrides')).body.overrides;
    expect(await list()).toMatchObject([
      { pool: 'app', backend: '10.0.0.1:9000', field: 'state', value: 'maint', until: null },
      { pool: 'app', backend: 'unix:/run/app.sock' },
    ]);
    const one = await ask('/api/v1/overrides/app/10.0.0.1:9000', { method: 'DELETE' });
    expect([one.status, await list()]).toMatchObject([200, [{ backend: 'unix:/run/app.sock' }]]);
    expect((await ask('/api/v1/overrides', { method: 'DELETE' })).status).toBe(200);
    expect(await list()).toEqual([]);
    expect((await ask('/api/v1/overrides/app/nobody', { method: 'DELETE' })).status).toBe(404);
  });
});

describe('Tokens of the admin API', () => {
  const tokens = [
    { name: 'ci', token: 'hammer', may: 'operate' },
    { name: 'board', token: 'glass', may: 'read' },
  ] as const;
  const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

  test('let whoever may read look, and whoever may operate change things', async () => {
    const { ask, changes } = await stage({ tokens });
    expect((await ask(app, { headers: bearing('glass') })).status).toBe(200);
    const refused = await ask(app, patch({ state: 'drain' }, bearing('glass')));
    expect(refused).toMatchObject({ status: 403, body: { error: expect.stringContaining('board') } });
    expect((await ask('/api/v1/reload', { method: 'POST', headers: bearing('glass') })).status).toBe(403);
    expect((await ask(app, patch({ state: 'drain' }, bearing('hammer')))).body.overrides).toMatchObject([
      { by: 'ci' },
    ]);
    expect(changes).toMatchObject([{ by: 'ci', status: 200 }]);
  });

  test.each(['', 'Bearer', 'Bearer hamme', 'Bearer hammer2', 'Basic hammer', 'Bearer  '])(
    'are wanted: not %j',
    async (authorization) => {
      const { ask } = await stage({ tokens });
      expect((await ask(app, { headers: { authorization } })).status).toBe(401);
      expect((await ask('/livez')).status).toBe(200);
      expect((await ask('/nothing/here')).status).toBe(401);
    },
  );
});
