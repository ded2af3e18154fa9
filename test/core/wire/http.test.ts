import { describe, expect, it } from 'vitest';
import { HttpHeadReader } from '../../../src/core/wire/http.ts';
import { captures } from './captures.ts';
import { byteByByte, bytesOf, inPieces, looksByteByByte } from './feeding.ts';

const incomplete = { state: 'incomplete' };
const mismatch = { state: 'mismatch' };
const found = (host: string | undefined) => ({ state: 'complete', version: 1, host });
const foundHttp2 = { state: 'complete', version: 2, host: undefined };
const read = (text: string) => new HttpHeadReader().read(bytesOf(text));

/** A request with the given lines of a head, and the end of it. */
const head = (...lines: readonly string[]) => `${lines.join('\r\n')}\r\n\r\n`;
const request = (...fields: readonly string[]) => head('GET / HTTP/1.1', ...fields);

describe('HttpHeadReader', () => {
  it.each(captures.filter(({ protocol }) => protocol === 'http'))(
    'reads what $name says, whole, byte by byte and in two halves',
    ({ name, bytes, httpHost }) => {
      const expected = name.startsWith('http2') ? foundHttp2 : found(httpHost ?? undefined);
      expect(new HttpHeadReader().read(bytes)).toEqual(expected);
      expect(byteByByte(new HttpHeadReader(), bytes).at(-1)).toEqual(expected);
      for (let end = 0; end <= bytes.length; end++) {
        expect(inPieces(new HttpHeadReader(), bytes, [end])).toEqual(expected);
      }
      // Once for the end of its line, once for what the line says, and the word Host is told by its length first.
      expect(Math.max(...looksByteByByte(new HttpHeadReader(), bytes))).toBeLessThanOrEqual(3);
    },
  );

  it.each([
    ['Host: Example.COM', 'example.com'],
    ['hOsT:example.com:8080', 'example.com'],
    ['Host: \t example.com.\t ', 'example.com'],
    ['Host: [::1]:8080', '[::1]'],
    ['Host:', undefined],
    ['Host: ', undefined],
  ])('reads %j', (field, host) => {
    expect(read(request('Accept: */*', field, 'Cookie: host: b'))).toEqual(found(host));
  });

  it('waits for the end of the head, where a second Host may stand', () => {
    const bytes = bytesOf(`${request('Host: a.test', 'Accept: */*')}body`);
    const answers = byteByByte(new HttpHeadReader(), bytes);
    const headEnd = bytes.length - 'body'.length;
    expect(answers.slice(0, headEnd - 1)).toEqual(new Array(headEnd - 1).fill(incomplete));
    expect(answers.slice(headEnd - 1)).toEqual(new Array(6).fill(found('a.test')));
  });

  it.each([
    ['GET http://a.test/x?y HTTP/1.1', 'a.test'],
    ['GET HTTPS://A.test:8443 HTTP/1.1', 'a.test'],
    ['GET http://a.test.?http://c.test HTTP/1.1', 'A.test:80'],
    ['CONNECT a.test:443 HTTP/1.1', 'a.test'],
    ['CONNECT [::1]:443 HTTP/1.1', '[0:0::1]'],
    ['OPTIONS * HTTP/1.1', 'a.test'],
    ['M-SEARCH /%20é HTTP/1.1', 'a.test'],
    ['GET / HTTP/1.0', 'a.test'],
  ])('takes a target and a Host that agree: %s, %s', (line, host) => {
    expect(read(head(line, `Host: ${host}`))).toEqual(found(host.startsWith('[') ? '[::1]' : 'a.test'));
  });

  it.each([
    'GET http://b.test/ HTTP/1.1',
    'GET http://b.test/ HTTP/1.0',
    'GET http://sub.a.test/ HTTP/1.1',
    'CONNECT b.test:443 HTTP/1.1',
  ])('knows no host where target and Host contradict each other: %s', (line) => {
    expect(read(head(line, 'Host: a.test'))).toEqual(mismatch);
    expect(read(head(line, 'Host:'))).toEqual(mismatch);
  });

  it('knows that a head without a Host names none but the target’s', () => {
    for (const version of ['HTTP/1.0', 'HTTP/1.1']) {
      expect(read(head(`GET / ${version}`, 'Accept: */*'))).toEqual(found(undefined));
      expect(read(head(`GET http://b.test/ ${version}`))).toEqual(found('b.test'));
    }
  });

  it.each([
    ['LF alone', 'GET / HTTP/1.1\nHost: a.test\n\n'],
    ['LF alone after the request line', 'GET / HTTP/1.1\nHost: a.test\r\n\r\n'],
    ['LF alone after a field', 'GET / HTTP/1.1\r\nHost: a.test\n\r\n'],
    ['LF alone at the end', 'GET / HTTP/1.1\r\nHost: a.test\r\n\n'],
    ['an empty line first', `\r\n${request('Host: a.test')}`],
    ['many empty lines first', `\r\n\n\r\n\n${request('Host: a.test')}`],
    ['many blanks', request(`Host:${' \t'.repeat(4_000)}a.test${' \t'.repeat(4_000)}`)],
  ])('reads %s, as servers do', (_, given) => {
    expect(read(given)).toEqual(found('a.test'));
    expect(byteByByte(new HttpHeadReader(), bytesOf(given)).at(-1)).toEqual(found('a.test'));
  });

  it.each([
    ['two hosts', request('Host: a.test', 'Host: b.test')],
    ['the same host twice', request('Host: a.test', 'host: a.test')],
    ['a host after an empty one', request('Host:', 'Host: b.test')],
    ['a list of hosts', request('Host: a.test, b.test')],
    ['user information', request('Host: user@a.test')],
    ['space before the colon of Host', request('Host : a.test')],
    ['space before the colon of another field', request('Host: a.test', 'Accept : */*')],
    ['a folded line', request('Host: a.test', ' b.test')],
    ['a line folded with a tab', request('Accept: */*', '\tHost: b.test', 'Host: a.test')],
    ['space before the first field', request(' Host: a.test')],
    ['a field without a name', request('Host: a.test', ': x')],
    ['a line without a colon', request('Host: a.test', 'Accept')],
    ['two hosts, one behind LF alone', 'GET / HTTP/1.1\r\nHost: a.test\nHost: b.test\r\n\r\n'],
    ['blanks within a Host', request(`Host:${' '.repeat(9_000)}a b`)],
    ['a Host that is too long', request(`Host: ${'a'.repeat(9_000)}`)],
    ['a Host with a NUL', request('Host: a.test\0')],
    ['a Host with letters beyond ASCII', request('Host: \xe4.test')],
    ['CR alone', request('Host: a.test', 'Accept: a\rHost: b.test')],
    ['two CR', 'GET / HTTP/1.1\r\r\nHost: a.test\r\n\r\n'],
    ['NUL', request('Host: a.test', 'Accept: \0')],
    ['space before the request line', ` ${request('Host: a.test')}`],
    ['HTTP/0.9', head('GET /', 'Host: a.test')],
    ['two spaces before the target', head('GET  / HTTP/1.1', 'Host: a.test')],
    ['two spaces after the target', head('GET /  HTTP/1.1', 'Host: a.test')],
    ['space in the target', head('GET /a b HTTP/1.1', 'Host: a.test')],
    ['a tab for a space', head('GET\t/ HTTP/1.1', 'Host: a.test')],
    ['no method', head(' / HTTP/1.1', 'Host: a.test')],
    ['no target', head('GET HTTP/1.1', 'Host: a.test')],
    ['an empty target', head('GET  HTTP/1.1', 'Host: a.test')],
    ['a method with marks', head('G(T / HTTP/1.1', 'Host: a.test')],
    ['a target of another kind', head('GET a.test HTTP/1.1', 'Host: a.test')],
    ['a longer asterisk', head('OPTIONS *x HTTP/1.1', 'Host: a.test')],
    ['another scheme', head('GET ftp://a.test/ HTTP/1.1', 'Host: a.test')],
    ['a URL without a host', head('GET http:///x HTTP/1.1', 'Host: a.test')],
    ['a URL with user information', head('GET http://b.test@a.test/ HTTP/1.1', 'Host: a.test')],
    ['CONNECT to a path', head('CONNECT /x HTTP/1.1', 'Host: a.test')],
    ['a bad Host beside a URL', head('GET http://b.test/ HTTP/1.1', 'Host: a b')],
    ['another version', head('GET / HTTP/2.0', 'Host: a.test')],
    ['a version in lower case', head('GET / http/1.1', 'Host: a.test')],
    ['a longer version', head('GET / HTTP/1.10', 'Host: a.test')],
    ['the first line of the HTTP/2 preface alone', head('PRI * HTTP/2.0', 'Host: a.test')],
    ['an HTTP/2 preface with another word', 'PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n'],
    ['an HTTP/2 preface with one line more', 'PRI * HTTP/2.0\r\n\r\nSM\r\nx\r\n'],
  ])('refuses %s', (_, given) => {
    expect(read(given)).toEqual(mismatch);
    expect(byteByByte(new HttpHeadReader(), bytesOf(given)).at(-1)).toEqual(mismatch);
  });

  it('knows HTTP/2 by its whole preface', () => {
    const bytes = bytesOf('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    const answers = byteByByte(new HttpHeadReader(), bytes);
    expect(answers.slice(0, 23)).toEqual(new Array(23).fill(incomplete));
    expect(answers[23]).toEqual(foundHttp2);
  });

  it('keeps its answer', () => {
    const reader = new HttpHeadReader();
    expect(reader.read(bytesOf('GET / HTTP/1.1\r\r'))).toEqual(mismatch);
    expect(reader.read(bytesOf(request('Host: a.test')))).toEqual(mismatch);
  });

  it('looks at each byte of a long head a bounded number of times', () => {
    const long = request('Host: a.test', ...new Array<string>(200).fill(`X-Long: ${'x'.repeat(50)}`));
    expect(Math.max(...looksByteByByte(new HttpHeadReader(), bytesOf(long)))).toBeLessThanOrEqual(3);
  });
});
