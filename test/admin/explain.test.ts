import { describe, expect, test } from 'vitest';
import type { Answer, Asking } from './fixture.ts';
import { startAdmin } from './fixture.ts';

const path = '/api/v1/explain';
const type = { 'content-type': 'application/json' };

describe('POST /api/v1/explain', () => {
  test('explains with the live state, and changes nothing', async () => {
    const { source, explained } = await started();
    const [worker] = source.workers;
    worker.listenerActive.tryTake(0, 9);
    worker.backendActive.tryTake(0, 9);
    Atomics.store(source.ledger.health, 1, 2);
    const before = Buffer.from(source.ledger.health.buffer.slice(0));
    const { status, headers, body } = await explained({ listener: 'web', client: '::ffff:10.1.2.3' });
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(body)).toMatchObject({
      listener: { name: 'web', active: 1, maxConnections: 'unlimited' },
      client: { address: '10.1.2.3', announcedBy: null },
      routes: [],
      fallback: { pool: 'app', verdict: 'taken' },
      pool: {
        backends: [
          { address: '10.0.0.1:9000', active: 1, health: 'unknown', candidate: true },
          { address: 'unix:/run/app.sock', health: 'down', unavailable: 'down', candidate: false },
        ],
      },
      outcome: { kind: 'dial', backend: '10.0.0.1:9000', certainty: 'certain' },
    });
    expect(Buffer.from(source.ledger.health.buffer).equals(before)).toBe(true);
  });

  test('takes all that can be said of a client', async () => {
    const { explained } = await started();
    const said = { sni: 'A.Example.', alpn: ['h2'], host: 'B.Example', protocol: 'tls' };
    const { body } = await explained({ listener: 'web', client: 'unix', ...said });
    expect(JSON.parse(body)).toMatchObject({
      client: { address: 'unix' },
      seen: { sni: 'a.example', alpn: ['h2'], httpHost: 'b.example', protocol: 'tls' },
    });
    const bytes = Buffer.from('SSH-2.0-x\r\n').toString('base64');
    const spoken = await explained({ listener: 'web', client: '::1', bytes });
    expect(JSON.parse(spoken.body)).toMatchObject({ seen: { protocol: 'ssh' } });
  });

  test.each([
    ['nonsense', 'Expected a JSON object, found no JSON'],
    ['', 'Expected a JSON object, found nothing'],
    ['[]', 'Expected a JSON object'],
    ['null', 'Expected a JSON object'],
    [{}, 'listener: Expected a string, found none'],
    [{ listener: 'web' }, 'client: Expected a string, found none'],
    [{ listener: 'wob', client: '::1' }, 'listener: Expected the name of a listener (web, api), found "wob"'],
    [
      { listener: 'web', client: 'me' },
      expect.stringMatching(/^client: Expected an IP address .*, found "me"$/),
    ],
    [{ listener: 'web', client: 1 }, 'client: Expected a string, found 1'],
    [{ listener: 'web', client: '::1', sni: '*.a' }, expect.stringMatching(/^sni: Expected a host name/)],
    [{ listener: 'web', client: '::1', host: 'a b' }, expect.stringMatching(/^host: Expected a host name/)],
    [{ listener: 'web', client: '::1', alpn: 'h2' }, 'alpn: Expected a list of strings'],
    [{ listener: 'web', client: '::1', alpn: [1] }, 'alpn: Expected a list of strings'],
    [{ listener: 'web', client: '::1', alpn: [''] }, expect.stringMatching(/^alpn: Expected names/)],
    [
      { listener: 'web', client: '::1', protocol: 'smtp' },
      expect.stringMatching(/^protocol: Expected ssh, .*"smtp"$/),
    ],
    [{ listener: 'web', client: '::1', bytes: 'a' }, 'bytes: Expected base64, with padding'],
    [
      { listener: 'web', client: '::1', bytes: Buffer.alloc(65_537).toString('base64') },
      'bytes: Expected at most 65536 bytes',
    ],
    [
      { listener: 'web', client: '::1', port: 1 },
      expect.stringMatching(/^port: Expected no other keys than/),
    ],
    [
      '{"listener":"web","client":"::1","__proto__":1}',
      expect.stringMatching(/^__proto__: Expected no other/),
    ],
  ])('answers 400 to %j', async (asked, error) => {
    const { explained } = await started();
    const { status, body } = await explained(asked);
    expect({ status, ...JSON.parse(body) }).toEqual({ status: 400, error });
  });

  test('takes 64 KiB of bytes, and no body that is longer than they need', async () => {
    const { explained } = await started();
    const inquiry = { listener: 'web', client: '::1' };
    const bytes = Buffer.alloc(65_536).toString('base64');
    expect((await explained({ ...inquiry, bytes })).status).toBe(200);
    expect((await explained({ ...inquiry, bytes: Buffer.alloc(98_304).toString('base64') })).status).toBe(
      413,
    );
  });

  test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    'answers 415 to content of type %s',
    async (contentType) => {
      const { explained } = await started();
      const headers = contentType === undefined ? {} : { 'content-type': contentType };
      const { status, body } = await explained({ listener: 'web', client: '::1' }, { headers });
      expect({ status, ...JSON.parse(body) }).toEqual({
        status: 415,
        error: 'Expected Content-Type: application/json',
      });
    },
  );

  test('passes over parameters of the type', async () => {
    const { explained } = await started();
    const headers = { 'content-type': 'Application/JSON; charset=utf-8' };
    expect((await explained({ listener: 'web', client: '::1' }, { headers })).status).toBe(200);
  });

  test('wants the token and no foreign origin, and is only posted to', async () => {
    const { ask, explained } = await started('secret-0123456789');
    const inquiry = { listener: 'web', client: '::1' };
    expect((await explained(inquiry)).status).toBe(401);
    const authorization = 'Bearer secret-0123456789';
    const from = (origin: string) => explained(inquiry, { headers: { ...type, authorization, origin } });
    expect((await from('http://evil.example')).status).toBe(403);
    expect((await from('http://localhost')).status).toBe(200);
    expect((await ask(path, { headers: { authorization } })).status).toBe(405);
  });
});

async function started(token?: string) {
  const admin = await startAdmin(token === undefined ? {} : { token });
  const explained = (asked: unknown, more: Asking = {}): Promise<Answer> => {
    const body = typeof asked === 'string' ? asked : JSON.stringify(asked);
    return admin.ask(path, { method: 'POST', headers: type, body, ...more });
  };
  return { ...admin, explained };
}
