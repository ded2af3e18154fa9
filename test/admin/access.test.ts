import { describe, expect, test } from 'vitest';
import { startAdmin } from './fixture.ts';

const guarded = ['/metrics', '/api/v1/status', '/nowhere'];

describe('AdminServer with a token', () => {
  const token = 'käse-0123456789';
  const asUtf8 = Buffer.from(token).toString('latin1');

  test.each(['/livez', '/readyz'])('answers %s without it', async (path) => {
    const { ask } = await startAdmin({ token });
    expect((await ask(path)).status).toBe(200);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer k',
    `Bearer ${asUtf8}x`,
    `Bearer ${asUtf8.slice(0, -1)}`,
    `Basic ${asUtf8}`,
    asUtf8,
    `xBearer ${asUtf8}`,
  ])('refuses everything else to authorization %j', async (authorization) => {
    const { ask, source } = await startAdmin({ token });
    source.reloaded = () => expect.unreachable('It was reloaded');
    const headers = authorization === undefined ? {} : { authorization };
    const answers = [
      ...(await Promise.all(guarded.map((path) => ask(path, { headers })))),
      await ask('/api/v1/reload', { method: 'POST', headers }),
    ];
    for (const answer of answers) {
      expect(answer.status).toBe(401);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
      expect(JSON.parse(answer.body)).toEqual({
        error: expect.stringMatching(/^Expected "Authorization: Bearer"/),
      });
    }
  });

  test.each(['Bearer', 'bearer', 'BEARER '])('lets in who bears it as %s', async (scheme) => {
    const { ask } = await startAdmin({ token });
    const headers = { authorization: `${scheme} ${asUtf8}` };
    expect((await ask('/metrics', { headers })).status).toBe(200);
    expect((await ask('/api/v1/reload', { method: 'POST', headers })).status).toBe(200);
    expect((await ask('/nowhere', { headers })).status).toBe(404);
  });
});

describe('AdminServer', () => {
  test.each(['localhost', 'LOCALHOST:9900', '127.0.0.1', '127.0.0.1:1', '127.9.8.7', '[::1]', '[::1]:9900'])(
    'takes Host %s',
    async (host) => {
      const { ask } = await startAdmin();
      expect((await ask('/metrics', { headers: { host } })).status).toBe(200);
    },
  );

  test.each([
    'evil.example',
    'evil.example:9900',
    'localhost.evil.example',
    '127.0.0.1.nip.io',
    '127.evil.example',
    'localhost@evil.example',
    'evil.example@localhost',
    'evil.example#localhost',
    'evil.example/localhost',
    '10.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::2]:9900',
    '[::1',
    'localhost:port',
  ])('refuses Host %j, whatever is asked', async (host) => {
    const { ask, source } = await startAdmin();
    source.reloaded = () => expect.unreachable('It was reloaded');
    for (const path of [...guarded, '/livez'])
      expect((await ask(path, { headers: { host } })).status).toBe(421);
    const { status, body } = await ask('/api/v1/reload', { method: 'POST', headers: { host } });
    expect(status).toBe(421);
    expect(JSON.parse(body)).toEqual({ error: expect.stringMatching(/^Expected a Host/) });
  });

  test.each(['http://localhost:3000', 'http://127.0.0.1:9900', 'https://[::1]'])(
    'takes Origin %s',
    async (origin) => {
      const { ask } = await startAdmin();
      expect((await ask('/api/v1/reload', { method: 'POST', headers: { origin } })).status).toBe(200);
    },
  );

  test.each([
    'http://evil.example',
    'https://localhost.evil.example',
    'http://localhost@evil.example',
    'null',
    'file://',
    'chrome-extension://localhost',
    'localhost',
    '',
  ])('refuses Origin %j', async (origin) => {
    const { ask, source } = await startAdmin();
    source.reloaded = () => expect.unreachable('It was reloaded');
    expect((await ask('/api/v1/reload', { method: 'POST', headers: { origin } })).status).toBe(403);
    expect((await ask('/api/v1/status', { headers: { origin } })).status).toBe(403);
  });

  test('bound to every address, refuses a Host that is not the one that was connected to', async () => {
    const { ask } = await startAdmin({ bind: { host: '0.0.0.0', port: 0 }, token: 'secret' });
    const askFor = (host: string) => ask('/metrics', { headers: { authorization: 'Bearer secret', host } });
    expect((await askFor('127.0.0.1:9900')).status).toBe(200);
    expect((await askFor('0.0.0.0:9900')).status).toBe(421);
    expect((await askFor('192.0.2.1:9900')).status).toBe(421);
  });
});

describe('A refusal of the admin API says what would do', () => {
  const error = ({ body }: { body: string }): unknown => JSON.parse(body).error;
  const wanted = 'Expected "Authorization: Bearer" with a token of the admin section';

  test.each([
    [undefined, 'none: send "admin.token" of the configuration, or one of "admin.tokens"'],
    ['Basic aGVsbG8=', 'another scheme'],
    ['Bearer of-yesterday', 'one that is not in the configuration, which holds as it was last loaded'],
  ])('for Authorization %s', async (authorization, found) => {
    const { ask } = await startAdmin({ token: 'secret' });
    const headers = authorization === undefined ? {} : { authorization };
    expect(error(await ask('/metrics', { headers }))).toBe(`${wanted}, found ${found}`);
  });

  test('for a token that may only read', async () => {
    const { ask } = await startAdmin({ tokens: [{ name: 'board', token: 'glass', may: 'read' }] });
    const reload = { method: 'POST', headers: { authorization: 'Bearer glass' } };
    expect(error(await ask('/api/v1/reload', reload))).toBe(
      'Expected a token that may operate; board may only read, unless it has "may: operate" in "admin.tokens"',
    );
  });

  test('for a Host, with those that are allowed', async () => {
    const { ask } = await startAdmin();
    expect(error(await ask('/metrics', { headers: { host: 'proxy.example:9900' } }))).toBe(
      'Expected a Host header with a loopback address or the one that was connected to, found "proxy.example:9900": ' +
        'ask for 127.0.0.1 or localhost, or send "Host: localhost"',
    );
  });

  test('for an Origin', async () => {
    const { ask } = await startAdmin();
    expect(error(await ask('/metrics', { headers: { origin: 'http://evil.example' } }))).toBe(
      'Web pages of other origins may not use the admin API, and this one is of "http://evil.example": ' +
        'ask without the header Origin',
    );
  });
});
