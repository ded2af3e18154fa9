import { describe, expect, it } from 'vitest';
import { protocols } from '../../../src/core/wire/protocol.ts';
import { Sniffer } from '../../../src/core/wire/sniffer.ts';
import { captures } from './captures.ts';
import { bytesOf } from './feeding.ts';
import { alpn, hello, inRecords, message, serverName } from './hello.ts';

const factsOf = ({ protocol, sni, alpn, httpHost }: Sniffer) => ({ protocol, sni, alpn, httpHost });
const nothing = { sni: null, alpn: null, httpHost: null };
const unknown = { sni: undefined, alpn: undefined, httpHost: undefined };

/** The facts after the bytes, each of which comes by itself. */
function sniffed(bytes: Uint8Array): Sniffer {
  const sniffer = new Sniffer();
  for (let end = 0; end <= bytes.length; end++) sniffer.read(bytes.subarray(0, end));
  return sniffer;
}

describe('Sniffer', () => {
  it.each(captures)('learns all there is in $name', ({ bytes, protocol, sni, alpn, httpHost }) => {
    const expected = { protocol, sni, alpn, httpHost };
    const whole = new Sniffer();
    whole.read(bytes);
    for (const sniffer of [whole, sniffed(bytes)]) {
      expect(factsOf(sniffer)).toEqual(expected);
      expect(sniffer.isDone).toBe(true);
      sniffer.finish();
      expect(factsOf(sniffer)).toEqual(expected);
    }
  });

  it('speaks of every protocol that rules can name', () => {
    expect(protocols).toEqual(['ssh', 'tls', 'http', 'postgres', 'redis', 'unknown']);
  });

  it('knows nothing before the first byte, and at the end that there is nothing', () => {
    const sniffer = new Sniffer();
    sniffer.read(bytesOf(''));
    expect(factsOf(sniffer)).toEqual({ protocol: undefined, ...unknown });
    expect(sniffer.isDone).toBe(false);
    sniffer.finish();
    expect(factsOf(sniffer)).toEqual({ protocol: 'unknown', ...nothing });
    expect(sniffer.isDone).toBe(true);
  });

  it('knows what TLS lacks before it knows what TLS has', () => {
    const bytes = hello({ extensions: [serverName('a.test'), alpn('h2')] });
    const sniffer = sniffed(bytes.subarray(0, 6));
    expect(factsOf(sniffer)).toEqual({ ...unknown, protocol: 'tls', httpHost: null });
    expect(sniffer.isDone).toBe(false);
    sniffer.read(bytes);
    expect(factsOf(sniffer)).toEqual({ protocol: 'tls', sni: 'a.test', alpn: ['h2'], httpHost: null });
  });

  it('knows what HTTP lacks before it knows what HTTP has', () => {
    const sniffer = sniffed(bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n'));
    expect(factsOf(sniffer)).toEqual({ protocol: 'http', sni: null, alpn: null, httpHost: undefined });
    expect(sniffer.isDone).toBe(false);
    sniffer.finish();
    expect(factsOf(sniffer)).toEqual({ protocol: 'http', ...nothing });
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
    ['a malformed hello', inRecords(message([3, 3, 0])), { protocol: 'tls', ...nothing }],
    ['a head without a host', bytesOf('GET / HTTP/1.0\r\n\r\n'), { protocol: 'http', ...nothing }],
    ['a malformed head', bytesOf('GET / HTTP/1.1\n'), { protocol: 'http', ...nothing }],
    ['an array of Redis', bytesOf('*1\r\n$'), { protocol: 'redis', ...nothing }],
    ['anything else', bytesOf('\x01'), { protocol: 'unknown', ...nothing }],
  ])('is done after %s', (_, bytes, expected) => {
    const sniffer = sniffed(bytes);
    expect(factsOf(sniffer)).toEqual(expected);
    expect(sniffer.isDone).toBe(true);
  });

  it('never changes a fact, not even when bytes come after the end', () => {
    const bytes = hello({ extensions: [serverName('a.test'), alpn('h2')] });
    const early = sniffed(bytes.subarray(0, 5));
    early.finish();
    early.read(bytes);
    expect(factsOf(early)).toEqual({ protocol: 'unknown', ...nothing });
    const later = sniffed(bytes.subarray(0, 50));
    later.finish();
    later.read(bytes);
    expect(factsOf(later)).toEqual({ protocol: 'tls', ...nothing });
    const head = bytesOf('GET / HTTP/1.1\r\nHost: a.test\r\n\r\n');
    const atHost = sniffed(head.subarray(0, 20));
    atHost.finish();
    atHost.read(head);
    expect(factsOf(atHost)).toEqual({ protocol: 'http', ...nothing });
  });
});
