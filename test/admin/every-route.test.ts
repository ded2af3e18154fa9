/** Whatever is wrong with a request to any route of the table: a clear refusal, and nothing has changed. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { routes } from '../../src/admin/api/routes.ts';
import { type GoodRequest, goodRequests } from '../support/good-requests.ts';
import { type Answer, type Asking, startAdmin } from './fixture.ts';

type Admin = Awaited<ReturnType<typeof startAdmin>>;

const requests = goodRequests('10.0.0.1:9000');
const all = routes.map((route) => {
  const name = `${route.method} ${route.path}`;
  const good = requests.get(name) ?? expect.fail(name);
  return { name, route, good, params: [...route.path.matchAll(/\{(\w+)\}/g)].map(([, param = '']) => param) };
});
const withBody = all.filter(({ route }) => route.body !== undefined);

function askingOf({ method, body }: GoodRequest): Asking {
  return body === undefined ? { method } : { method, ...json(JSON.stringify(body)) };
}

function json(body: string | Buffer): Pick<Asking, 'headers' | 'body'> {
  return { headers: { 'content-type': 'application/json' }, body };
}

/** All that a request could change. */
function stateOf({ source }: Admin): string {
  const { administration, ledger, plan } = source;
  const circuits = plan.pools.flatMap(({ backends }) => backends.map(({ slot }) => ledger.circuitOf(slot)));
  return JSON.stringify({ overrides: administration.overrides, circuits, plan });
}

/** Asks so, and expects a refusal with a sentence that changes nothing. */
async function refused(
  admin: Admin,
  path: string,
  asking: Asking,
  status: number | readonly number[],
): Promise<Answer> {
  const before = stateOf(admin);
  const answer = await admin.ask(path, asking);
  const said = `${asking.method} ${path} ${asking.body ?? ''}: ${answer.status} ${answer.body}`;
  expect([status].flat(), said).toContain(answer.status);
  const { error, errors } = JSON.parse(answer.body);
  const sentences: unknown[] =
    errors === undefined ? [error] : errors.map((one: { message: string }) => one.message);
  expect(sentences.length, said).toBeGreaterThan(0);
  for (const sentence of sentences) expect(sentence, said).toMatch(/^[A-Za-z]\S+ .{8,}/);
  expect(stateOf(admin), said).toBe(before);
  expect(admin.errors, said).toEqual([]);
  return answer;
}

/** The keys that an object may have at a place of the body: whoever sends another one is told. */
async function keysAt(
  admin: Admin,
  { path, ...good }: GoodRequest,
  place?: string,
): Promise<readonly string[]> {
  const unknown = { zzzzzzzzzz: 1 };
  const body = JSON.stringify(place === undefined ? unknown : { ...good.body, [place]: unknown });
  const answer = await admin.ask(path, { method: good.method, ...json(body) });
  expect([400, 422]).toContain(answer.status);
  const [, list = ''] = /(?:one of|no other keys than) ([\w, ]+?)(?:, found|"|$)/.exec(answer.body) ?? [];
  expect(list, answer.body).not.toBe('');
  return list.split(', ');
}

describe.each(all)('$name', ({ route, good, params }) => {
  const asking = askingOf(good);

  test('is refused to web pages of other hosts and origins', async () => {
    const admin = await startAdmin();
    await refused(admin, good.path, { ...asking, headers: { ...asking.headers, host: 'evil.example' } }, 421);
    await refused(
      admin,
      good.path,
      { ...asking, headers: { ...asking.headers, origin: 'http://evil.example' } },
      403,
    );
  });

  if (route.may !== 'none')
    test('wants a token that may do it', async () => {
      const tokens = [
        { name: 'board', token: 'r', may: 'read' },
        { name: 'ci', token: 'o', may: 'operate' },
      ] as const;
      const admin = await startAdmin({ tokens });
      const bearing = (authorization: string): Asking => ({
        ...asking,
        headers: { ...asking.headers, authorization },
      });
      await refused(admin, good.path, asking, 401);
      for (const wrong of ['Bearer x', 'Bearer', 'Basic bzpv', 'Bearer r o'])
        await refused(admin, good.path, bearing(wrong), 401);
      if (route.may === 'operate') await refused(admin, good.path, bearing('Bearer r'), 403);
    });

  test('has no other methods than it says', async () => {
    const admin = await startAdmin();
    const answer = await refused(admin, good.path, { method: 'PUT' }, 405);
    expect(answer.headers.allow?.split(', ')).toContain(route.method);
  });

  if (params.length > 0)
    test('names the nearest where a name of its path is mistaken', async () => {
      const admin = await startAdmin();
      for (const param of params) {
        const value = { pool: 'app', listener: 'web', backend: encodeURIComponent('10.0.0.1:9000') }[param];
        const mistaken =
          value === undefined ? good.path.replace(/[^/]+$/, 'x') : good.path.replace(value, `${value}0`);
        const { body } = await refused(admin, mistaken, asking, 404);
        if (value !== undefined) expect(body).toContain('did you mean');
        await refused(admin, good.path.replace(value ?? /[^/]+$/, 'x'.repeat(4_000)), asking, 404);
        await refused(admin, good.path.replace(value ?? /[^/]+$/, '%ff'), asking, 404);
      }
    });

  if (route.query !== undefined)
    test('reads past no key of its query', async () => {
      const admin = await startAdmin();
      const [path, query = ''] = good.path.split('?');
      for (const key of route.query ?? []) {
        await refused(admin, `${path}?${query}&${key}x=1`, asking, 422);
        await refused(admin, `${path}?${key}=1&${key}=2`, asking, 422);
      }
      for (const [key, value] of new URLSearchParams(query)) {
        if (value !== 'app' && value !== 'web') continue;
        const { body } = await refused(
          admin,
          `${path}?${query.replace(`${key}=${value}`, `${key}=${value}0`)}`,
          asking,
          404,
        );
        expect(body).toContain('did you mean');
      }
    });

  if (route.may === 'operate')
    test('does nothing for another revision than it has', async () => {
      const admin = await startAdmin();
      if (good.path === '/api/v1/reload') admin.source.reloaded = () => expect.fail('It was reloaded');
      await refused(
        admin,
        good.path,
        { ...asking, headers: { ...asking.headers, 'if-match': '"old"' } },
        412,
      );
    });
});

test('A list of sessions is asked for by the longest host name with a port', async () => {
  const admin = await startAdmin();
  const host = `${`${'x'.repeat(63)}.`.repeat(3)}${'x'.repeat(61)}`;
  await refused(admin, `/api/v1/sessions?backend=${host}:65535`, { method: 'GET' }, 404);
});

describe.each(withBody)('The body of $name', ({ route, good }) => {
  test('is wanted in JSON, and not too long', async () => {
    const admin = await startAdmin();
    const body = JSON.stringify(good.body);
    const { method, path } = good;
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonx'])
      await refused(admin, path, { method, body, headers: { 'content-type': type } }, 415);
    await refused(admin, path, { method, body }, 415);
    const long = body.padEnd((route.body?.mostBytes ?? 0) + 1);
    await refused(admin, path, { method, ...json(long) }, 413);
  });

  test('is an object, whole, that has each key once', async () => {
    const admin = await startAdmin();
    const { method, path } = good;
    const body = JSON.stringify(good.body);
    const [key = '', value] = Object.entries(good.body ?? {})[0] ?? [];
    const twice = `{${JSON.stringify(key)}: ${JSON.stringify(value)}, ${body.slice(1)}`;
    const escaped = `{"\\u${key.charCodeAt(0).toString(16).padStart(4, '0')}${key.slice(1)}": 1, ${body.slice(1)}`;
    const broken = [
      '',
      ' ',
      body.slice(0, -1),
      `${body},`,
      `${body}${body}`,
      '[]',
      'null',
      '"x"',
      '1',
      '{"a":}',
    ];
    for (const wrong of [...broken, twice, escaped, Buffer.from([0xff, 0xfe])])
      await refused(admin, path, { method, ...json(wrong) }, [400, 422]);
    const { body: said } = await refused(admin, path, { method, ...json(twice) }, [400, 422]);
    expect(said).toContain('twice');
  });

  test('has no value of a wrong type or length', async () => {
    const admin = await startAdmin();
    const { method, path } = good;
    const wrongs = [true, [[]], -1, 1e300, 'x'.repeat(2_001), { toString: 1 }];
    for (const key of await keysAt(admin, good)) {
      for (const wrong of wrongs) {
        const body = JSON.stringify({ ...good.body, [key]: wrong });
        const { body: said } = await refused(admin, path, { method, ...json(body) }, [400, 422]);
        expect(said).toContain(key);
      }
      const part = Object.entries(good.body ?? {}).find(([one]) => one === key)?.[1];
      if (typeof part !== 'object' || part === null) continue;
      for (const inner of await keysAt(admin, good, key)) {
        const body = JSON.stringify({ ...good.body, [key]: { ...part, [inner]: true } });
        const { body: said } = await refused(admin, path, { method, ...json(body) }, [400, 422]);
        expect(said).toContain(`${key}.${inner}`);
      }
    }
  });
});

test('Each route stands in docs/operating.md, and no other does', () => {
  const page = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8');
  const [, section = ''] = /^## Admin API$(.*?)^## /ms.exec(page) ?? [];
  const rows = [...section.matchAll(/^\| (`.*?`) \| /gm)].map(([, cell = '']) => cell.replaceAll('`', ''));
  const documented = rows.flatMap((cell) => {
    const [, methods = '', path = ''] = /^([A-Z, ]+) (\/\S*)$/.exec(cell.replaceAll('\\|', '|')) ?? [];
    return methods.split(', ').map((method) => `${method} ${path.replace(/\[?\?.*$/, '')}`);
  });
  const known = routes.map(
    ({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, (_, name) => name.toUpperCase())}`,
  );
  expect(documented.toSorted()).toEqual(known.toSorted());
});
