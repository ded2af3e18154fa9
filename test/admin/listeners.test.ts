/** What an operator does with a listener: it accepts clients, has them wait, or refuses them. */
import { describe, expect, test } from 'vitest';
import { BindError } from '../../src/control/bind-error.ts';
import { type Asking, startAdmin } from './fixture.ts';

const path = '/api/v1/listeners/web';

async function stage() {
  const { ask, ...others } = await startAdmin();
  return {
    ...others,
    async ask(asked: string, asking?: Asking) {
      const { status, body } = await ask(asked, asking);
      return { status, body: JSON.parse(body) };
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

describe('PATCH /api/v1/listeners/LISTENER', () => {
  test('pauses and closes a listener, and says until when, by whom and why', async () => {
    const { ask, changes } = await stage();
    expect((await ask(path)).body).toMatchObject({ listener: 'web', accept: 'on', overrides: [] });
    const { status, body } = await ask(path, patch({ accept: 'paused', for: '1m', reason: 'move' }));
    expect([status, body]).toMatchObject([
      200,
      {
        accept: 'paused',
        bind: '0.0.0.0:8080',
        overrides: [{ field: 'accept', value: 'paused', reason: 'move' }],
      },
    ]);
    expect((await ask('/api/v1/status')).body.listeners.web.accept).toBe('paused');
    expect((await ask('/api/v1/overrides')).body.overrides).toMatchObject([
      { listener: 'web', field: 'accept', value: 'paused', configured: 'on', by: '127.0.0.1' },
    ]);
    expect((await ask(path, patch({ accept: 'off' }))).body.accept).toBe('off');
    expect((await ask(path, patch({ accept: null }))).body).toMatchObject({ accept: 'on', overrides: [] });
    await ask(path, patch({ accept: 'off' }));
    expect((await ask(path, patch({ accept: 'on' }))).body).toMatchObject({ accept: 'on', overrides: [] });
    expect(changes).toMatchObject([{ reason: 'move', after: [{ value: 'paused' }] }, {}, {}, {}, {}]);
  });

  test('is refused where somebody else was faster, and where the address is taken', async () => {
    const { ask, source } = await stage();
    const { revision } = (await ask(path)).body;
    const paused = patch({ accept: 'paused' }, { 'if-match': `"${revision}"` });
    const answers = await Promise.all([ask(path, paused), ask(path, paused)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
    const taken = Object.assign(new Error('taken'), { code: 'EADDRINUSE' });
    source.patchListener = () =>
      Promise.reject(new BindError('Listener "web"', { host: '0.0.0.0', port: 8080 }, taken));
    const refused = await ask(path, patch({ accept: null }));
    expect(refused).toMatchObject({ status: 409, body: { error: expect.stringContaining('0.0.0.0:8080') } });
  });

  test.each([
    [{}, 'accept', 'Expected on, paused, off or null'],
    [{ accept: 'yes' }, 'accept', 'one of on, paused, off'],
    [{ accept: 'off', for: 5 }, 'for', 'a duration such as'],
    [{ accept: 'off', until: '5m' }, 'until', 'Expected one of accept'],
  ])('refuses %j', async (body, at, message) => {
    const { ask } = await stage();
    const answer = await ask(path, patch(body));
    expect(answer.status).toBe(422);
    expect(answer.body.errors).toEqual([{ path: at, message: expect.stringContaining(message) }]);
    expect((await ask(path)).body.accept).toBe('on');
  });

  test('names the nearest listener', async () => {
    const { ask } = await stage();
    for (const asking of [{}, patch({ accept: 'off' })])
      expect(await ask('/api/v1/listeners/wep', asking)).toMatchObject({
        status: 404,
        body: { error: 'There is no listener "wep"; did you mean "web"?' },
      });
  });
});
