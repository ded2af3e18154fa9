import { describe, expect, it } from 'vitest';
import { protocols } from '../../../src/core/wire/protocol.ts';
import { Sniffer } from '../../../src/core/wire/sniffer.ts';
import { captures } from './captures.ts';
import { bytesOf } from './feeding.ts';
import { alpn, hello, inRecords, message, serverName } from './hello.ts';

const factsOf = ({ protocol, facts: { sni, alpn, httpHost } }: Sniffer) => ({
  protocol,
  sni,
  alpn,
  httpHost,
});
const nothing = { sni: null, alpn: null, httpHost: null };
const unknown = { sni: undefined, alpn: undefined, httpHost: undefined };

/** The facts after the bytes, each of which comes by itself. */
function sniffed(bytes: Uint8Array): Sniffer {
  const sniffer = new Sniffer();
  for (let end = 0; end <= bytes.length; end++) sniffer.read(bytes.subarray(0, end));
  return sniffer;
}

describe('Sniffer', () => {
  it.each(captures)('learns all there is in $name', ({ name, bytes, protocol, sni, alpn, ...capture }) => {
    const isHttp2 = name.startsWith('http2');
    const httpHost = isHttp2 ? undefined : capture.httpHost;
    const expected = { protocol, sni, alpn, httpHost };
    const whole = new Sniffer();
    whole.read(bytes);
    for (const sniffer of [whole, sniffed(bytes)]) {
      expect(factsOf(sniffer)).toEqual(expected);
      expect(sniffer.facts.isFinal).toBe(true);
      sniffer.end();
      expect(factsOf(sniffer)).toEqual(expected);
    }
  });

  it('speaks of every protocol that rules can name', () => {
    expect(protocols).toEqual(['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown']);
  });

  it('knows nothing before the first byte, and at the end that there is nothing', () => {
    const sniffer = new Sniffer();
    expect(sniffer.read(bytesOf(''))).toBe(false);
    expect(factsOf(sniffer)).toEqual({ protocol: undefined, ...unknown });
    expect(sniffer.facts).toMatchObject({ protocols, isFinal: false });
    sniffer.end();
    expect(factsOf(sniffer)).toEqual({ protocol: 'unknown', ...nothing });
    expect(sniffer.facts.isFinal).toBe(true);
  });

  it.each([
    ['x', ['http'], ['sni', 'alpn']],
    ['S', ['http', 'ssh'], ['sni', 'alpn']],
    ['SS', ['http', 'ssh'], ['sni', 'alpn']],
    ['Sx', ['http'], ['sni', 'alpn']],
    ['pi', ['http', 'redis'], ['sni', 'alpn']],
    ['ping ', ['http', 'redis'], ['sni', 'alpn']],
    ['pin ', ['http'], ['sni', 'alpn']],
    ['GET ', ['http'], ['sni', 'alpn']],
    ['\r\n', ['http'], ['sni', 'alpn']],
    ['\r\nS', ['http'], ['sni', 'alpn']],
    ['*', ['http', 'redis'], ['sni', 'alpn']],
    ['*1\r\n', ['redis'], ['sni', 'alpn', 'httpHost']],
    ['\0', ['postgres'], ['sni', 'alpn', 'httpHost']],
    ['\x16', ['tls'], ['httpHost']],
    ['\x15', ['tls'], ['httpHost']],
    ['\x01', [], ['sni', 'alpn', 'httpHost']],
    ['\x80', [], ['sni', 'alpn', 'httpHost']],
  ])('knows after %j what is left: %j', (text, left, absent) => {
    const { facts } = sniffed(bytesOf(text));
    expect(facts.protocols).toEqual([...left, 'unknown']);
    for (const name of ['sni', 'alpn', 'httpHost'] as const)
      expect(facts[name], name).toBe(absent.includes(name) ? null : undefined);
  });

  it('says whether bytes have told anything', () => {
    const sniffer = new Sniffer();
    const told = ['S', 'SE', 'SET', 'SET ', 'SET a', 'SET a ', 'SET a b'];
    expect(told.map((text) => sniffer.read(bytesOf(text)))).toEqual(
      told.map((text) => ['S', 'SE', 'SET a '].includes(text)),
    );
  });

  it('knows what TLS lacks before it knows what TLS has', () => {
    const bytes = hello({ extensions: [serverName('a.test'), alpn('h2')] });
    const sniffer = sniffed(bytes.subarray(0, 6));
    expect(factsOf(sniffer)).toEqual({ ...unknown, protocol: 'tls', httpHost: null });
    expect(sniffer.facts.isFinal).toBe(false);
    sniffer.read(bytes);
    expect(factsOf(sniffer)).toEqual({ protocol: 'tls', sni: 'a.test', alpn: ['h2'], httpHost: null });
  });

  it('knows what HTTP lacks before it knows what HTTP has', () => {
    const sniffer = sniffed(bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n'));
    expect(factsOf(sniffer)).toEqual({ protocol: 'http', sni: null, alpn: null, httpHost: undefined });
    expect(sniffer.facts.isFinal).toBe(false);
    sniffer.end();
    expect(factsOf(sniffer)).toEqual({ ...nothing, protocol: 'http', httpHost: undefined });
    expect(sniffer.facts.isFinal).toBe(true);
  });

  it.each([
    ['a hello without names', hello(), { protocol: 'tls', ...nothing }],
    [
      'a hello with a name alone',
      hello({ extensions: [serverName('a.test')] }),
      { protocol: 'tls', ...nothing, sni: 'a.test' },
    ],
    [
      'a hello with ALPN alone',
      hello({ extensions: [alpn('h2')] }),
      { protocol: 'tls', ...nothing, alpn: ['h2'] },
    ],
    ['a head without a host', bytesOf('GET / HTTP/1.0\r\n\r\n'), { protocol: 'http', ...nothing }],
    ['an array of Redis', bytesOf('*1\r\n$'), { protocol: 'redis', ...nothing }],
    ['anything else', bytesOf('\x01'), { protocol: 'unknown', ...nothing }],
  ])('is done after %s', (_, bytes, expected) => {
    const sniffer = sniffed(bytes);
    expect(factsOf(sniffer)).toEqual(expected);
    expect(sniffer.facts.isFinal).toBe(true);
  });

  it.each([
    ['a malformed hello', inRecords(message([3, 3, 0])), 'tls'],
    ['an empty record', bytesOf('\x16\x03\x01\0\0'), 'tls'],
    ['a record that is too long', bytesOf('\x16\x03\x01\x40\x01\x01'), 'tls'],
    ['a hello in a record of an odd version', bytesOf('\x16\x01\x01\0\x05\x01'), 'tls'],
    ['a warning ahead of the hello', bytesOf('\x15\x03\x01\0\x02\x01'), 'tls'],
    ['a name that no host has', hello({ extensions: [serverName('a\0.test')] }), 'tls'],
    ['an empty name', hello({ extensions: [serverName('')] }), 'tls'],
    ['two names', hello({ extensions: [serverName('a.test'), serverName('b.test')] }), 'tls'],
    ['a malformed head', bytesOf('GET / HTTP/1.1\r\rHost'), 'http'],
    ['HTTP/0.9', bytesOf('GET /\r\n'), 'http'],
    ['a target of another kind', bytesOf('GET a.test HTTP/1.1\r\n'), 'http'],
    ['the preface of HTTP/2', bytesOf('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'http'],
  ])('leaves undecided what is named by %s', (_, bytes, protocol) => {
    const { facts } = sniffed(bytes);
    const undecided = protocol === 'tls' ? { sni: undefined, alpn: undefined } : { httpHost: undefined };
    expect(facts).toMatchObject({ ...nothing, ...undecided, protocols: [protocol], isFinal: true });
  });

  it('leaves undecided what was cut, and takes for unknown what has ended before it was anything', () => {
    const cut = sniffed(bytesOf('\r\n\r\nGET'));
    cut.cut();
    expect(cut.facts).toMatchObject({
      ...nothing,
      protocols: ['http', 'unknown'],
      httpHost: undefined,
      isFinal: true,
    });
    const ended = sniffed(bytesOf('\r\n\r\nGET'));
    ended.end();
    expect(ended.facts).toMatchObject({ ...nothing, protocols: ['unknown'], isFinal: true });
  });

  it('never changes a fact, not even when bytes come after the end', () => {
    const bytes = hello({ extensions: [serverName('a.test'), alpn('h2')] });
    const early = sniffed(bytes.subarray(0, 5));
    early.end();
    expect(early.read(bytes)).toBe(false);
    expect(factsOf(early)).toEqual({ protocol: 'unknown', ...nothing });
    const later = sniffed(bytes.subarray(0, 50));
    later.end();
    expect(later.read(bytes)).toBe(false);
    expect(factsOf(later)).toEqual({ ...unknown, protocol: 'tls', httpHost: null });
    const head = bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const atHost = sniffed(head.subarray(0, 20));
    atHost.end();
    expect(atHost.read(head)).toBe(false);
    expect(factsOf(atHost)).toEqual({ ...nothing, protocol: 'http', httpHost: undefined });
  });
});
