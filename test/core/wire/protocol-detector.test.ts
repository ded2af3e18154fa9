import { describe, expect, it } from 'vitest';
import { ProtocolDetector } from '../../../src/core/wire/protocol-detector.ts';
import { captures } from './captures.ts';
import { byteByByte, bytesOf, looksByteByByte } from './feeding.ts';

const mismatch = { state: 'mismatch' };
const found = (protocol: string) => ({ state: 'complete', protocol });

/** After which byte what is said is decided, and how; `undefined` if it never is. */
function decision(said: Uint8Array): { readonly after: number; readonly answer: object } | undefined {
  const answers = byteByByte(new ProtocolDetector(), said);
  const after = answers.findIndex(({ state }) => state !== 'incomplete');
  const answer = answers[after];
  if (answer === undefined) return undefined;
  expect(answers.slice(after)).toEqual(new Array(answers.length - after).fill(answer));
  expect(new ProtocolDetector().read(said)).toEqual(answer);
  return { after: after + 1, answer };
}

/** Marks the byte that decides with `|` behind it. */
function marked(text: string): { readonly said: Uint8Array; readonly after: number } {
  return { said: bytesOf(text.replace('|', '')), after: text.indexOf('|') };
}

describe('ProtocolDetector', () => {
  it.each(captures)('knows $protocol from $name', ({ bytes, protocol }) => {
    expect(new ProtocolDetector().read(bytes)).toEqual(found(protocol));
    expect(decision(bytes)?.answer).toEqual(found(protocol));
    expect(Math.max(...looksByteByByte(new ProtocolDetector(), bytes))).toBe(1);
  });

  it.each([
    ['ssh', 'SSH-|2.0-x\r\n'],
    ['ssh', 'SSH-|1.99-x\r\n'],
    ['tls', '\x16\x03\x01\x00\x01\x01|'],
    ['tls', '\x16\x03\x00\x40\x00\x01|'],
    ['tls', '\x16\x03\x04\x02\x00\x01|\x00'],
    ['tls', '\x16\x01\x01\x02\x00\x01|\x00'],
    ['tls', '\x16\x03\x01\xff\xff\x01|\x00'],
    ['tls', '\x16\x03\x01\0\0|\x16'],
    ['tls', '\x15\x03\x01\0\x02\x01|\x5a'],
    ['http', 'GET /| HTTP/1.1'],
    ['http', 'get /|'],
    ['http', 'M-SEARCH *| HTTP/1.1'],
    ['http', 'OPTIONS *|'],
    ['http', 'GET http://|a.test/'],
    ['http', 'GET HTTPS://|a.test/'],
    ['http', 'PRI *| HTTP/2.0'],
    ['http', '\r\nGET /|'],
    ['http', '\n\n \t\x0b\x0cGET /|'],
    ['http', 'GET\t/|'],
    ['http', 'GET  \t /|'],
    ['http', 'GET HTTP://|'],
    ['http', 'FOO ftp://a.test/ HTTP/|1.1'],
    ['http', 'FOO x:y HTTP/|1.1'],
    ['http', 'GET a.test HTTP/|1.1'],
    ['http', 'GET é"?\thttp/|1.1'],
    ['http', 'GET http:/x HTTP/|1.1'],
    ['http', 'GET a HTTPHTTP/ HTTP/|1.1'],
    ['http', 'CONNECT /|'],
    ['http', 'GET\r/|'],
    ['http', '\rGET /|'],
    ['http', 'GET\x1c\x85\xa0/|'],
    ['http', 'GET x\rHTTP/|1.1'],
    ['http', 'GET x\x01\0 HTTP/|1.1'],
    ['http', 'PROPFIND x HTTP/|1.1'],
    ['http', `${'X'.repeat(9_000)} /|`],
    ['http', 'CONNECT a|.test:443 HTTP/1.1'],
    ['http', 'CONNECT [|::1]:443 HTTP/1.1'],
    ['http', '*GET /| HTTP/1.1'],
    ['http', '*1 /| HTTP/1.1'],
    ['http', 'GET HTTP/|1.1'],
    ['http', 'GET \x1c HTTP/|1.1'],
    ['http', 'PING /| HTTP/1.1'],
    ['http', 'SSH /|'],
    ['http', `${'X'.repeat(32)} /|`],
    ['postgres', '\0\0\0\x08\x04\xd2\x16\x2f|'],
    ['postgres', '\0\0\0\x08\x04\xd2\x16\x30|'],
    ['postgres', '\0\0\0\x10\x04\xd2\x16\x2e|\0\0\0\x01\0\0\0\x02'],
    ['postgres', '\0\0\x01\x0c\x04\xd2\x16\x2e|'],
    ['postgres', '\0\0\0\x09\0\x03\0\0|\0'],
    ['postgres', '\0\0\x27\x14\0\x03\0\x02|'],
    ['redis', '*1\r\n$|4\r\nPING\r\n'],
    ['redis', '*1048576\r\n$|'],
    ['redis', 'PING\r|\n'],
    ['redis', 'ping\n|'],
    ['redis', 'PING a\r|\n'],
    ['redis', 'PING \r|\n'],
    ['redis', 'PING 1|'],
    ['redis', 'INFO server\r|\n'],
    ['redis', 'AUTH me |hunter2\r\n'],
    ['redis', 'AUTH hunter2\n|'],
    ['redis', 'AUTH https:/h x\r|\n'],
    ['redis', 'HELLO 3|\r\n'],
  ])('decides for %s no sooner and no later than in %j', (protocol, text) => {
    const { said, after } = marked(text);
    expect(decision(said)).toEqual({ after, answer: found(protocol) });
  });

  it.each([
    ...['\x01|', '\x80|\x2e\x01', ' \x01|', '\r\n{|', '\xff|', '{|'],
    ...['\x16\x10|', '\x15\x10|', '\x15\x03\x01\x01|', '\x15\x03\x01\0\x02\x02|', '\x16\x03\x01\0\x05\x02|'],
    ...[
      'GET\r\n|',
      'GET x\r\n|',
      'FOO \x01|',
      'GET x y HTTP1.1\n|',
      'FOO x:y HTTP\x7f|',
      'FOO x |',
      'FOO {|',
      'FOO x:y\r\n|',
      '\r\nPING\r|\n',
      '\nSSH-2.0-x\r\n|',
      '\nhello there\r|',
      'hello big |',
      'SSH\r\n|',
      'ssh-2\r\n|',
    ],
    ...['CONNECT {}\r\n|', 'connect 1|', 'HELO x\r|\n', 'hello\r|\n', 'HELLO world\r|\n', 'FOO\n|'],
    ...[
      'SET a |',
      'INFO"|',
      'QUIT\r\n|',
      'INVITE sip:a@b.test SIP/2.0\r\n|',
      'OPTIONS rtsp://a.test RTSP/1.0\r\n|',
    ],
    ...['\0\x01|', '\0\0\x28\0|', '\0\0\0\x07|', '\0\0\x27\x15|', '\0\0\0\x08\0|', '\0\0\0\x09\x04|'],
    ...[
      '\0\0\0\x09\0\x02|',
      '\0\0\0\x08\x04\xd2\x16\x2e|',
      '\0\0\0\x10\x04\xd2\x16\x2f|',
      '\0\0\x01\x0d\x04|',
    ],
    ...[
      '**\n|',
      '*\r\n|',
      '*0\r\n|',
      '*1\n|',
      '*1\r\r\n|',
      '*1\r1|',
      '*1\r\n+|',
      '*1\r\n\r|',
      '*1\r\n1|',
      '*12345678\r\n|',
      '*-1\r\n|',
      '*1$\n|',
      '*1\r$|',
    ],
  ])('knows nothing of %j', (text) => {
    const { said, after } = marked(text);
    expect(decision(said)).toEqual({ after, answer: mismatch });
  });

  it.each([
    '',
    'G',
    'GE',
    'GET ',
    'GET http:/',
    'SSH',
    'PING',
    'HELLO ',
    'CONNECT ',
    'CONNECT {',
    'GET x',
    'GET x y',
    'FOO x',
    'FOO x:y z',
    'x'.repeat(10_000),
    '\r\n'.repeat(5_000),
    '\x15\x03\x01\0\x02',
    '\x16\x03',
    '\0\0',
    '*',
    '*10\r\n',
    '*POST',
  ])('waits after %j', (text) => {
    expect(new ProtocolDetector().read(bytesOf(text))).toMatchObject({ state: 'incomplete' });
  });
});
