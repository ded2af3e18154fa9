import { describe, expect, it } from 'vitest';
import { ascii, join, read } from './proxy-samples.ts';

const tcp4 = 'PROXY TCP4 254.254.254.254 1.2.3.4 65535 1234\r\n';
const tcp4Ends = {
  client: { address: '254.254.254.254', port: 65535 },
  destination: { address: '1.2.3.4', port: 1234 },
};

describe('PROXY version 1', () => {
  it('tells the ends of an IPv4 connection', () => {
    expect(read(ascii(tcp4))).toEqual({
      state: 'complete',
      header: { source: 'proxied', ...tcp4Ends },
      length: tcp4.length,
    });
  });

  it('ends with its line, whatever follows', () => {
    for (const payload of ['GET / HTTP/1.1\r\n\r\n', '\r\n', tcp4, '\0'.repeat(5_000)]) {
      expect(read(join(ascii(tcp4), ascii(payload)))).toEqual(read(ascii(tcp4)));
    }
  });

  it.each([
    ['PROXY TCP6 2001:db8::1 ::1 1 2\r\n', '2001:db8::1', '::1'],
    ['PROXY TCP6 2001:DB8::A 2001:db8:0:0:0:0:0:b 1 2\r\n', '2001:db8::a', '2001:db8::b'],
    [
      'PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 2001:0db8:0000:0000:0001:0000:0000:0001 1 2\r\n',
      'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
      '2001:db8::1:0:0:1',
    ],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c000:202 1 2\r\n', '192.0.2.1', '192.0.2.2'],
  ])('tells the ends of an IPv6 connection in canonical text: %j', (line, client, destination) => {
    expect(read(ascii(line))).toMatchObject({
      state: 'complete',
      header: { source: 'proxied', client: { address: client }, destination: { address: destination } },
    });
  });

  it.each([
    ['PROXY UNKNOWN\r\n'],
    ['PROXY UNKNOWN \r\n'],
    ['PROXY UNKNOWN 1.2.3.4  whatever \x00\xff\r\n'],
    [
      'PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n',
    ],
  ])('keeps the own addresses of an UNKNOWN connection: %j', (line) => {
    expect(read(ascii(line))).toEqual({ state: 'complete', header: { source: 'own' }, length: line.length });
  });

  it('takes a line of 107 bytes and not one of 108', () => {
    const line = (bytes: number) => `PROXY UNKNOWN ${'x'.repeat(bytes - 16)}\r\n`;
    expect(read(ascii(line(107)))).toMatchObject({ state: 'complete', length: 107 });
    expect(read(ascii(line(108)))).toEqual({ state: 'broken' });
  });

  it('waits for the end of a line up to its 107th byte, and no longer', () => {
    const endless = ascii(`PROXY UNKNOWN ${'x'.repeat(200)}`);
    expect(read(endless.subarray(0, 106))).toEqual({ state: 'incomplete' });
    expect(read(endless.subarray(0, 107))).toEqual({ state: 'broken' });
  });

  it.each([
    ['0', 0],
    ['1', 1],
    ['65535', 65535],
  ])('takes port %s', (text, port) => {
    const finding = read(ascii(`PROXY TCP4 1.2.3.4 1.2.3.4 ${text} ${text}\r\n`));
    expect(finding).toMatchObject({ header: { client: { port }, destination: { port } } });
  });

  it.each(['65536', '99999', '100000', '-1', '+1', '00', '01', '0x1', '1e3', '1.0', '', 'a', '١'])(
    'refuses port %j at either end',
    (port) => {
      expect(read(ascii(`PROXY TCP4 1.2.3.4 1.2.3.4 ${port} 1\r\n`))).toEqual({ state: 'broken' });
      expect(read(ascii(`PROXY TCP4 1.2.3.4 1.2.3.4 1 ${port}\r\n`))).toEqual({ state: 'broken' });
    },
  );

  it.each([
    ...['1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.00', '1.2.3.4/8', '0x1.2.3.4', '999.1.1.1'],
    ...['::1', '::ffff:1.2.3.4', 'localhost', 'unix', ''],
  ])('refuses %j as an IPv4 address at either end', (address) => {
    expect(read(ascii(`PROXY TCP4 ${address} 1.2.3.4 1 2\r\n`))).toEqual({ state: 'broken' });
    expect(read(ascii(`PROXY TCP4 1.2.3.4 ${address} 1 2\r\n`))).toEqual({ state: 'broken' });
  });

  it.each([
    '1.2.3.4',
    ':::',
    '1::2::3',
    '::12345',
    '[::1]',
    'fe80::1%eth0',
    '::1%',
    '::ffff:1.2.3.04',
    'g::',
    '',
  ])('refuses %j as an IPv6 address at either end', (address) => {
    expect(read(ascii(`PROXY TCP6 ${address} ::1 1 2\r\n`))).toEqual({ state: 'broken' });
    expect(read(ascii(`PROXY TCP6 ::1 ${address} 1 2\r\n`))).toEqual({ state: 'broken' });
  });

  it.each([
    'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4  1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1  2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n',
    'PROXY TCP4\t1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
    'PROXY TCP4\r\n',
    'PROXY \r\n',
    'PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
    'PROXY UNKNOWNX\r\n',
    'PROXY unknown\r\n',
    'PROXY TCP4 999.1.2.3 1.2.3.4 1 2\r\n',
  ])('refuses %j', (line) => {
    expect(read(ascii(line))).toEqual({ state: 'broken' });
  });

  it.each([
    'PROXY UNKNOWN\n',
    'PROXY UNKNOWN\rx',
    'PROXY UNKNOWN\r\r\n',
    'PROXY UNKNOWN xy\n',
    'PROXY TCP4 1.2.3.4 1.2.3.4 1 23\n',
  ])('wants both bytes of its line end: %j', (line) => {
    expect(read(ascii(line))).toEqual({ state: 'broken' });
  });
});
