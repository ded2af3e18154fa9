/** Clients that no route may be passed by with, and clients that nobody has to wait for. */
import { describe, expect, it } from 'vitest';
import type { ListenerPlan, ListenerPolicy, Plan, RoutePlan } from '../../../src/core/plan.ts';
import { networks, planWith, stranger, to } from '../explain/plans.ts';
import { CoreStage, freshLedger } from '../harness.ts';
import { alpn, hello, helloMessage, inRecords, record, serverName } from '../wire/hello.ts';

const names = ['secret.example', '*.secret.example', '[::1]'];
const byHost = to(1, { httpHost: names });
const bySni = to(1, { sni: names });
const byAlpn = to(1, { alpn: ['h2'] });
const byProtocol = (...protocol: NonNullable<RoutePlan['when']['protocol']>) => to(1, { protocol });

const head = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const padding = (bytes: number) => `Cookie: ${'x'.repeat(bytes)}`;
const secret = [serverName('secret.example'), alpn('h2')];
const padded = (bytes: number) => [[21, new Array<number>(bytes).fill(0)] as const, ...secret];

describe('Session on a listener with routes by name', () => {
  it.each([
    ['LF alone', 'GET / HTTP/1.1\nHost: secret.example\n\n'],
    ['empty lines first', `\r\n\n\r\n${head('GET / HTTP/1.1', 'Host: secret.example')}`],
    ['an absolute target', head('GET http://secret.example/ HTTP/1.1', 'Host: secret.example')],
    ['an absolute target alone', head('GET http://secret.example HTTP/1.1')],
    ['a port, upper case and a dot', head('GET / HTTP/1.1', 'host:\tSECRET.example.:8080 ')],
    ['a name below', head('GET / HTTP/1.1', 'Host: a.b.secret.example')],
    ['another text of the address', head('GET / HTTP/1.1', 'Host: [0:0:0:0:0:0:0:1]:80')],
    ['CONNECT', head('CONNECT secret.example:443 HTTP/1.1')],
    ['a method that begins with an asterisk', head('*GET / HTTP/1.1', 'Host: secret.example')],
    ['a Host at the end of a long head', head('GET / HTTP/1.1', padding(16_000), 'Host: secret.example')],
  ])('routes by the host of a head with %s', (_, said) => {
    expect(becomes({ routes: [byHost] }, said)).toBe(1);
    expect(becomes({ routes: [byHost] }, said, 1)).toBe(1);
  });

  it.each([
    ['a head that is too long', head('GET / HTTP/1.1', padding(20_000), 'Host: secret.example')],
    ['too many empty lines', `${'\r\n'.repeat(8_192)}${head('GET / HTTP/1.1', 'Host: secret.example')}`],
    ['a method that is too long', `${'X'.repeat(16_384)}${head(' / HTTP/1.1', 'Host: secret.example')}`],
    ['a target and a Host that differ', head('GET http://public.example/ HTTP/1.1', 'Host: secret.example')],
    ['the other way round', head('GET http://secret.example/ HTTP/1.1', 'Host: public.example')],
    ['two hosts', head('GET / HTTP/1.1', 'Host: public.example', 'Host: secret.example')],
    ['space before the colon', head('GET / HTTP/1.1', 'Host : secret.example')],
    ['a folded Host', head('GET / HTTP/1.1', 'Host:', ' secret.example')],
    ['a folded line', head('GET / HTTP/1.1', 'Host: public.example', ' Host: secret.example')],
    ['CR alone', head('GET / HTTP/1.1', 'Host: public.example', 'X: y\rHost: secret.example')],
    ['NUL', head('GET / HTTP/1.1', 'Host: secret.example\0.public.example')],
    ['an escape', head('GET / HTTP/1.1', 'Host: %73ecret.example')],
    ['user information', head('GET / HTTP/1.1', 'Host: public.example@secret.example')],
    ['a list of hosts', head('GET / HTTP/1.1', 'Host: public.example, secret.example')],
    ['letters beyond ASCII', head('GET / HTTP/1.1', 'Host: \xe4.secret.example')],
    ['tabs in the request line', head('GET\t/\tHTTP/1.1', 'Host: secret.example')],
    ['CR in the request line', head('GET\r/ HTTP/1.1', 'Host: secret.example')],
    ['a separator that Python splits at', head('GET\x1c/\xa0HTTP/1.1', 'Host: secret.example')],
    ['a method of WebDAV and any target', head('PROPFIND x HTTP/1.1', 'Host: secret.example')],
    ['spaces in the request line', head('GET  /  HTTP/1.1', 'Host: secret.example')],
    ['a blank before the request', ` ${head('GET / HTTP/1.1', 'Host: secret.example')}`],
    ['a target of another scheme', head('GET ftp://public.example/ HTTP/1.1', 'Host: secret.example')],
    ['a target without a slash', head('GET index.html HTTP/1.1', 'Host: secret.example')],
    ['another version', head('GET / HTTP/3.0', 'Host: secret.example')],
    ['no target', head('GET HTTP/1.1', 'Host: secret.example')],
    ['HTTP/0.9', 'GET /\r\n'],
    ['HTTP/0.9 with a host', 'GET http://secret.example/\r\n'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('refuses who asks for a host with %s', (_, said) => {
    expect(becomes({ routes: [byHost] }, said)).toBe('no-route');
    expect(becomes({ routes: [byHost, to(2, {})] }, said, 1)).toBe('no-route');
    expect(becomes({ routes: [byHost], inspect: tolerant }, said)).toBe(0);
    // Whom the route does not mean anyway, and who comes to another one first.
    const elsewhere = to(1, { httpHost: names, client: networks('10.0.0.0/8') });
    expect(becomes({ routes: [elsewhere] }, said)).toBe(0);
    expect(becomes({ routes: [to(2, { protocol: ['http', 'unknown'] }), byHost] }, said)).toBe(2);
    expect(becomes({ routes: [bySni, byAlpn] }, said)).toBe(0);
  });

  it.each([
    ['in one record', hello({ extensions: secret })],
    ['in records of a byte', inRecords(helloMessage({ extensions: secret }), [1])],
    ['of 16,000 bytes', hello({ extensions: padded(16_000) })],
    ['with a dot and upper case', hello({ extensions: [serverName('SECRET.Example.'), alpn('h2')] })],
    ['with an address', hello({ extensions: [serverName('0:0:0:0:0:0:0:1'), alpn('h2')] })],
  ])('routes by the name of a hello %s', (_, said) => {
    for (const route of [bySni, byAlpn]) expect(becomes({ routes: [route] }, said)).toBe(1);
    expect(becomes({ routes: [bySni] }, said, 1)).toBe(1);
  });

  it.each([
    ['is too long', inRecords(helloMessage({ extensions: padded(20_000) }))],
    ['is too long for its record', Uint8Array.from(record(helloMessage({ extensions: padded(20_000) })))],
    ['has two names', hello({ extensions: [serverName('public.example'), ...secret] })],
    ['has two names in a list', hello({ extensions: [twoNames, alpn('h2')] })],
    ['has a NUL in its name', hello({ extensions: [serverName('secret.example\0'), alpn('h2')] })],
    ['has letters beyond ASCII in its name', hello({ extensions: [serverName('\xe4.example'), alpn('h2')] })],
    ['has an empty name', hello({ extensions: [serverName(''), alpn('h2')] })],
    ['comes behind a warning', [...record([1, 90], 21), ...hello({ extensions: secret })]],
    ['comes behind an empty record', [...record([]), ...hello({ extensions: secret })]],
    ['comes with something else', Uint8Array.from(record([...helloMessage({ extensions: secret }), 0]))],
    ['comes in a record of another version', record(helloMessage({ extensions: secret }), 22, 0x0201)],
    ['claims a length that is none', record([1, 1, 0, 0, ...helloMessage({ extensions: secret })])],
  ])('refuses a client whose hello %s', (_, bytes) => {
    const said = Uint8Array.from(bytes);
    for (const route of [bySni, byAlpn]) {
      expect(becomes({ routes: [route] }, said)).toBe('no-route');
      expect(becomes({ routes: [route, to(2, {})] }, said, 1)).toBe('no-route');
      expect(becomes({ routes: [route], inspect: tolerant }, said)).toBe(0);
    }
    expect(becomes({ routes: [to(2, { protocol: ['tls'] }), bySni] }, said)).toBe(2);
    expect(becomes({ routes: [byHost] }, said)).toBe(0);
  });

  it('refuses what ends before it names what it asks for', () => {
    const partial = head('GET / HTTP/1.1', 'Host: secret.example').slice(0, -2);
    expect(becomes({ routes: [byHost] }, partial, Number.POSITIVE_INFINITY, 'fin')).toBe('no-route');
    const half = hello({ extensions: secret }).subarray(0, 60);
    expect(becomes({ routes: [bySni] }, half, Number.POSITIVE_INFINITY, 'fin')).toBe('no-route');
    expect(becomes({ routes: [byHost] }, 'GE', Number.POSITIVE_INFINITY, 'fin')).toBe(0);
  });

  it.each([
    ['a head without a Host', head('GET / HTTP/1.1', 'Accept: */*')],
    ['HTTP/1.0 without a Host', head('GET / HTTP/1.0')],
    ['an empty Host', head('GET / HTTP/1.1', 'Host:')],
    ['another host', head('GET / HTTP/1.1', 'Host: public.example')],
    ['a hello without a name', hello({ extensions: [alpn('http/1.1')] })],
    ['a hello without extensions', hello()],
    ['the hello of SSL 2.0, which has no room for a name', '\x80\x2e\x01\x03\x01\0\x15\0\0\0\x10'],
    ['a postgres client', '\0\0\0\x08\x04\xd2\x16\x2f'],
  ])('lets in who names nobody that a route asks for, with %s', (_, said) => {
    expect(becomes({ routes: [bySni, byHost] }, said)).toBe(0);
  });
});

describe('Session on a listener with routes', () => {
  it.each([
    ['sni', [bySni], ['x', 'G', 'SSH', '\0', '\x80', '\xff', '\r', '\x16\x10', '\x16\x03\x01\0\x05\x02']],
    ['alpn', [byAlpn], ['x', 'GET / HTTP/1.1\r\n', '\x15\x03\x01\0\x02\x02']],
    [
      'httpHost',
      [byHost],
      ['\x16', '\0', '*1\r\n', '{', 'SSH-', 'x\r\n', 'hello\n', 'x {', 'x y ', 'PING\r\n'],
    ],
    ['ssh', [byProtocol('ssh')], ['x', 'SSh', 'GET ', '\x16', '\r']],
    ['redis', [byProtocol('redis')], ['x', 'PO', 'SET', 'PINGS', 'INFO\0', '*-', '\x16']],
    ['postgres', [byProtocol('postgres')], ['x', '\0\x01', '*', '\x16']],
    ['tls', [byProtocol('tls')], ['x', 'GET', '\0', '\x16\x10']],
    ['http', [byProtocol('http')], ['\x16', '\0', '*1\r\n', '{', 'GET\n', 'SSH-', 'INFO\r\n']],
    [
      'a name, from elsewhere',
      [to(1, { httpHost: names, client: networks('10.0.0.0/8') }), bySni],
      ['GET', 'x'],
    ],
    ['two things that exclude each other', [to(1, { sni: names, protocol: ['ssh'] })], ['\x16', 'S']],
  ])('takes the fallback as soon as no rule can match: %s', (_, routes, all) => {
    for (const said of all) {
      expect(becomes({ routes }, said), said).toBe(0);
      // And no sooner: what comes before the last byte may still be what is asked for.
      if (said.length > 1) expect(becomes({ routes }, said.slice(0, 1)), said).not.toBe(1);
    }
  });

  it.each([
    [[byProtocol('ssh')], ['S', 'SSH']],
    [[byProtocol('redis')], ['p', 'PING', 'HELLO ', '*12']],
    [[byProtocol('postgres')], ['\0', '\0\0\0\x08']],
    [[byProtocol('tls')], ['\x16', '\x16\x03\x01', '\x15']],
    [[byProtocol('http')], ['x', 'GET', 'GET ', '\r\n', 'GET x', 'FOO x:y']],
    [[byHost], ['x', 'GET / HTTP/1.1\r\nHost: public.example\r\n']],
    [[bySni], ['\x16', '\x15']],
    [[byProtocol('unknown')], ['x', 'S', '\x16']],
  ])('waits for what a rule can still ask for: %#', (routes, all) => {
    for (const said of all) expect(becomes({ routes }, said), said).toBe('waits');
  });

  it('takes a route as soon as whatever comes must match', () => {
    expect(becomes({ routes: [byProtocol('http', 'unknown')] }, 'x')).toBe(1);
    expect(becomes({ routes: [byProtocol('tls', 'unknown')] }, '\x16')).toBe(1);
    expect(becomes({ routes: [byProtocol('unknown')] }, '\x01')).toBe(1);
    expect(becomes({ routes: [byProtocol('ssh', 'http', 'unknown'), bySni] }, 'S')).toBe(1);
  });

  it('asks its routes only when something was learned', () => {
    let asked = 0;
    const routes = Array.from({ length: 1_000 }, (_, index) => {
      const route = to(1, { httpHost: [`n${index}.example`], client: networks('10.0.0.0/8') });
      const { client } = route.when;
      const when = {
        ...route.when,
        get client() {
          asked++;
          return client;
        },
      };
      return { ...route, when };
    });
    routes.push(to(1, { httpHost: ['secret.example'] }) as (typeof routes)[number]);
    const said = head('GET / HTTP/1.1', 'Host: secret.example', padding(2_000));
    expect(becomes({ routes }, said, 1)).toBe(1);
    // Once with nothing known, and once each for the first letter, for HTTP and for the host; twice, for `client` is
    // looked at and then used.
    expect(asked).toBeLessThanOrEqual(2 * 4 * 1_000);
  });
});

const tolerant: ListenerPolicy['inspect'] = { timeoutMs: 3_000, maxBytes: 16_384, undecided: 'fallback' };

const twoNames = [
  0,
  [0, 34, ...[0, 0, 14, ...ascii('public.example')], ...[0, 0, 14, ...ascii('secret.example')]],
] as const;

function ascii(text: string): readonly number[] {
  return [...Buffer.from(text, 'latin1')];
}

type Changes = Partial<ListenerPolicy> & Partial<Pick<ListenerPlan, 'routes'>>;

/**
 * The pool that a client comes to which says this in portions of so many bytes, why it is refused, or that it waits.
 */
function becomes(
  changes: Changes,
  said: string | Uint8Array,
  portion = Number.POSITIVE_INFINITY,
  then?: 'fin',
): number | string {
  const plan: Plan = planWith(changes);
  const stage = new CoreStage(plan, { ledger: freshLedger() });
  const bytes = typeof said === 'string' ? Uint8Array.from(ascii(said)) : said;
  const { session, ...opened } = stage.connect(stranger);
  let { commands } = opened;
  for (let end = 0; commands.at(-1)?.kind === 'inspect' && end < bytes.length; ) {
    end = Math.min(end + portion, bytes.length);
    commands = stage.say({ kind: 'received', link: session, bytes: bytes.subarray(0, end) });
  }
  if (then === 'fin') commands = stage.halfClose(session, 'client', bytes.length);
  const last = commands.at(-1);
  if (last?.kind === 'inspect') return 'waits';
  const [dialed] = CoreStage.dialed(commands);
  if (dialed !== undefined) return Math.floor(dialed / 2);
  stage.end(session, 'closed');
  return `${stage.lastRecord?.reason}`;
}
