import { describe, expect, it } from 'vitest';
import { type InquiryText, parseInquiry } from '../../src/config/inquiry.ts';

describe('parseInquiry', () => {
  it('writes addresses and names as the proxy sees them', () => {
    expect(parsed({ client: '::FFFF:10.1.2.3' })).toMatchObject({ client: { address: '10.1.2.3', port: 0 } });
    expect(parsed({ client: '2001:DB8:0::1' })).toMatchObject({ client: { address: '2001:db8::1' } });
    expect(parsed({ client: 'unix' })).toMatchObject({ client: { address: 'unix' } });
    expect(parsed({ sni: 'Bücher.Example.', host: '[2001:DB8::1]' })).toMatchObject({
      sni: 'xn--bcher-kva.example',
      httpHost: '[2001:db8::1]',
    });
    const bytes = Uint8Array.of(1);
    expect(parsed({ alpn: ['h2'], protocol: 'ssh', bytes })).toMatchObject({
      listener: 'web',
      alpn: ['h2'],
      protocol: 'ssh',
      bytes,
    });
  });

  it.each([
    [{ listener: 'wob' }, 'listener', 'the name of a listener (web, api)'],
    [{ client: 'localhost' }, 'client', 'an IP address such as "10.1.2.3" or "::1", or "unix"'],
    [{ client: '10.0.0.0/8' }, 'client', 'an IP address such as "10.1.2.3" or "::1", or "unix"'],
    [{ sni: '*.example' }, 'sni', 'a host name such as "www.example.com"'],
    [{ host: 'a:80' }, 'host', 'a host name such as "www.example.com"'],
    [{ alpn: ['h2', ''] }, 'alpn', 'names of protocols, such as h2 and http/1.1'],
    [{ alpn: ['x'.repeat(256)] }, 'alpn', 'names of protocols, such as h2 and http/1.1'],
    [{ protocol: 'smtp' }, 'protocol', 'ssh, tls, http, postgres, redis or unknown'],
  ])('of %j expects another %s', (text, key, expected) => {
    expect(parsed(text)).toEqual({ key, expected });
  });

  it('names no more than ten listeners, and none where there are none', () => {
    const many = Array.from({ length: 11 }, (_, index) => `l${index}`);
    const text = { listener: 'web', client: '::1' };
    expect(parseInquiry(text, many)).toMatchObject({ expected: expect.stringMatching(/\(l0, .*, l9, …\)$/) });
    expect(parseInquiry(text, [])).toMatchObject({ expected: 'the name of a listener' });
  });
});

function parsed(text: Partial<InquiryText>) {
  return parseInquiry({ listener: 'web', client: '::1', ...text }, ['web', 'api']);
}
