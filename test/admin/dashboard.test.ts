/** What the dashboard is made of, and what it asks for besides what others ask for. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startAdmin } from './fixture.ts';

describe('GET /', () => {
  test('is a page without a secret, that may load nothing from elsewhere and run nothing of itself', async () => {
    const { ask } = await startAdmin({ token: 'secret' });
    const { status, headers, body } = await ask('/');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';/,
    );
    expect(body).toBe(readFileSync(new URL('../../src/dashboard/index.html', import.meta.url), 'utf8'));
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|https?:/);
  });

  test('is not sent again to whoever has it, and asked for by HEAD it has no body', async () => {
    const { ask } = await startAdmin();
    const { headers } = await ask('/dashboard/style.css');
    const { etag = '' } = headers;
    expect(headers['cache-control']).toBe('no-cache');
    const known = await ask('/dashboard/style.css', { headers: { 'if-none-match': `"other", W/${etag}` } });
    expect([known.status, known.body, known.headers.etag]).toEqual([304, '', etag]);
    expect((await ask('/', { headers: { 'if-none-match': etag } })).status).toBe(200);
    const head = await ask('/dashboard/style.css', { method: 'HEAD' });
    expect([head.status, head.body, head.headers['content-length']]).toEqual([
      200,
      '',
      headers['content-length'],
    ]);
  });

  test.each([
    '/dashboard/other.js',
    '/dashboard/..%2fmain.js',
    '/dashboard/%2e%2e%2fpackage.json',
    '/dashboard/constructor',
    '/dashboard/x.constructor',
    '/dashboard/tsconfig.json',
    '/dashboard/',
    '/dashboard',
    '/index.html',
  ])('has nothing at %s', async (path) => {
    const { ask } = await startAdmin();
    expect((await ask(path)).status).toBe(404);
  });

  test('is there on a unix socket too, through which browsers come by a tunnel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const { ask } = await startAdmin({ bind: { path: join(folder, 'admin.sock') } });
    const tunnel = { headers: { host: 'localhost:9900', origin: 'http://localhost:9900' } };
    expect((await ask('/', tunnel)).status).toBe(200);
    expect((await ask('/api/v1/whoami', tunnel)).body).toBe('{"name":"unix","may":"operate"}\n');
  });

  test('takes no other methods, and no Host of elsewhere', async () => {
    const { ask } = await startAdmin();
    expect(await ask('/', { method: 'POST' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    expect((await ask('/', { headers: { host: 'evil.example' } })).status).toBe(421);
  });
});

test('GET /api/v1/whoami says who asks and what it may do', async () => {
  const { ask } = await startAdmin({
    tokens: [
      { name: 'board', token: 'r', may: 'read' },
      { name: 'ci', token: 'o', may: 'operate' },
    ],
  });
  const as = async (token: string) =>
    JSON.parse((await ask('/api/v1/whoami', { headers: { authorization: `Bearer ${token}` } })).body);
  expect(await as('r')).toEqual({ name: 'board', may: 'read' });
  expect(await as('o')).toEqual({ name: 'ci', may: 'operate' });
  const open = await startAdmin();
  expect(JSON.parse((await open.ask('/api/v1/whoami')).body)).toEqual({ name: '127.0.0.1', may: 'operate' });
});

describe('GET /api/v1/history', () => {
  test('has listeners and pools, or the backends of a pool, from a point on', async () => {
    const { ask, source } = await startAdmin();
    for (const ms of [0, 1_000, 2_000]) source.history.add(ms);
    const zeros = (count: number) => Array.from({ length: count }, () => 0);
    const all = JSON.parse((await ask('/api/v1/history')).body);
    expect(all).toMatchObject({ everyMs: 5_000, next: 3, listeners: { web: { active: zeros(3) }, api: {} } });
    expect(Object.keys(all.pools)).toEqual(['app', 'db']);
    const pool = JSON.parse((await ask('/api/v1/history?pool=app&from=2')).body);
    expect(pool.backends['unix:/run/app.sock']).toEqual({
      ...{ active: zeros(1), connections: zeros(1), failures: zeros(1), bytes: zeros(1) },
    });
    expect(pool.pools).toBeUndefined();
  });

  test.each([
    ['?from=-1', 422, 'Expected the number of a point'],
    ['?from=x', 422, 'Expected the number of a point'],
    ['?pool=apq', 404, 'did you mean \\"app\\"'],
  ])('refuses %s', async (query, status, problem) => {
    const { ask } = await startAdmin();
    const answer = await ask(`/api/v1/history${query}`);
    expect([answer.status, answer.body]).toEqual([status, expect.stringContaining(problem)]);
  });
});

test('GET /api/v1/configuration has every default, in the words of the file, and no secret', async () => {
  const { ask } = await startAdmin();
  const { body } = await ask('/api/v1/configuration');
  expect(body).not.toContain('a-secret');
  const { file, configuration } = JSON.parse(body);
  expect(file).toBe('/etc/sluice/sluice.yaml');
  expect(configuration).toMatchObject({
    listeners: {
      web: {
        bind: ['0.0.0.0:8080'],
        pool: 'app',
        allow: '1 network',
        timeouts: { idle: '10m', maxLifetime: 'unlimited' },
      },
    },
    pools: {
      app: {
        backends: [{ address: '10.0.0.1:9000', weight: 1, maxConnections: 'unlimited' }],
        healthCheck: { type: 'tcp', interval: '2s', jitter: '10%', proxyProtocol: 'off' },
      },
    },
    memory: { buffers: 'auto' },
    admin: { bind: '127.0.0.1:9900', tokens: [{ token: '(hidden)', may: 'operate' }] },
  });
});
