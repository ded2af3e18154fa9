import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/core/wire/crc32c.ts';
import { ascii, hex, inet, join, read, v2 } from './proxy-samples.ts';

const block = 'c0000201 c0000202 04d201bb';
const own = { source: 'own' };
const broken = { state: 'broken' };

/** An IPv4 header with these bytes after its addresses, its length right. */
function withTail(tail: string): Uint8Array {
  const length = 12 + hex(tail).length;
  return v2(`2111 ${length.toString(16).padStart(4, '0')} ${block} ${tail}`);
}

function tlv(type: number, value: Uint8Array): string {
  const head = Uint8Array.of(type, value.length >> 8, value.length & 0xff);
  return Buffer.from(join(head, value)).toString('hex');
}

describe('PROXY version 2', () => {
  it('tells the ends of an IPv4 connection', () => {
    const header = { source: 'proxied', ...inet };
    expect(read(v2(`2111000c ${block}`))).toEqual({ state: 'complete', header, length: 28 });
  });

  it('tells the ends of an IPv6 connection in canonical text', () => {
    const addresses = '20010db8000000000000000000000001 20010db8000000000001000000000000';
    expect(read(v2(`21210024 ${addresses} 04d201bb`))).toEqual({
      state: 'complete',
      header: {
        source: 'proxied',
        client: { address: '2001:db8::1', port: 1234 },
        destination: { address: '2001:db8:0:0:1::', port: 443 },
      },
      length: 52,
    });
  });

  it('writes an IPv4-mapped address as IPv4', () => {
    const addresses = '00000000000000000000ffffc0000201 00000000000000000000ffffc0000202';
    expect(read(v2(`21210024 ${addresses} 04d201bb`))).toMatchObject({ header: inet });
  });

  it('tells the paths of a unix connection, where there are any', () => {
    const path = (text: string) => Buffer.from(text.padEnd(108, '\0')).toString('hex');
    const ends = (client: string, destination: string) =>
      read(v2(`213100d8 ${path(client)} ${path(destination)}`));
    const unix = { address: 'unix', port: 0 };
    expect(ends('', '/run/web.sock')).toEqual({
      state: 'complete',
      header: { source: 'proxied', client: unix, destination: { ...unix, path: '/run/web.sock' } },
      length: 232,
    });
    const longest = `/${'a'.repeat(107)}`;
    expect(ends('\0abstract', longest)).toMatchObject({
      header: { client: unix, destination: { ...unix, path: longest } },
    });
    expect(ends('/a\0b', '')).toMatchObject({ header: { client: { path: '/a' } } });
  });

  it.each([
    ['LOCAL', '20000000'],
    ['LOCAL with addresses', `2011000c ${block}`],
    ['LOCAL of a family that nobody knows', '20ff0003 010203'],
    ['AF_UNSPEC', '21000000'],
    ['AF_UNSPEC with anything behind', '21000003 ffffff'],
    ['AF_UNSPEC over a stream', '21010000'],
    ['IPv4 over an unspecified transport', `2110000c ${block}`],
    ['IPv4 over an unspecified transport, without addresses', '21100000'],
    ['IPv4 datagrams', `2112000c ${block}`],
    ['IPv6 datagrams', `21220024 ${'00'.repeat(36)}`],
    ['unix datagrams', `213200d8 ${'00'.repeat(216)}`],
  ])('keeps the own addresses of %s and skips its length', (_, text) => {
    const { length } = v2(text);
    expect(read(join(v2(text), ascii('payload')))).toEqual({ state: 'complete', header: own, length });
  });

  it.each([
    ...['00', '01', '10', '11', '22', '2f', '30', '31', 'f1', 'a1'].map((byte) => `${byte}11000c ${block}`),
    ...['40', '41', 'f1', '13', '1f', '03', '23'].map((byte) => `21${byte}000c ${block}`),
  ])('refuses an unknown version, command, family or transport: %s', (text) => {
    expect(read(v2(text))).toEqual(broken);
  });

  it.each([
    ['IPv4', '2111000b', 11],
    ['IPv4', '21110000', 0],
    ['IPv4 datagrams', '2112000b', 11],
    ['IPv6', '21210023', 35],
    ['unix', '213100d7', 215],
  ])('refuses a length that does not hold the addresses of %s', (_, head, bytes) => {
    expect(read(v2(`${head} ${'00'.repeat(bytes)}`))).toEqual(broken);
    expect(read(v2(head)), 'before they come').toEqual(broken);
  });

  it('takes a header of 4 KiB and none that is longer', () => {
    const noop = (bytes: number) => tlv(4, new Uint8Array(bytes - 3));
    expect(read(withTail(noop(4096 - 28)))).toMatchObject({ state: 'complete', length: 4096 });
    expect(read(withTail(noop(4097 - 28)))).toEqual(broken);
    expect(read(v2('20000ff0')), 'a LOCAL one that is to come').toEqual({ state: 'incomplete' });
    expect(read(v2('20000ff1'))).toEqual(broken);
  });

  it.each(['040000', '040003000000', '040000 040000', 'e00001ff', 'ff0000', '300004 74657374'])(
    'passes over what it needs not know: %s',
    (tail) => {
      expect(read(withTail(tail))).toMatchObject({
        state: 'complete',
        header: { source: 'proxied', ...inet },
      });
    },
  );

  it.each(['04', '0400', '040001', '04000200', '040000 04', '040000 0400', 'e0ffff00'])(
    'refuses TLVs that do not tile the rest: %s',
    (tail) => {
      expect(read(withTail(tail))).toEqual(broken);
      const datagrams = withTail(tail);
      datagrams[13] = 0x12;
      expect(read(datagrams), 'of datagrams').toEqual(broken);
    },
  );

  it('tells authority, protocol and unique id', () => {
    const tail = tlv(2, ascii('api.example.com')) + tlv(1, ascii('h2')) + tlv(5, hex('00ff10'));
    expect(read(withTail(tail))).toMatchObject({
      header: { ...inet, authority: 'api.example.com', alpn: 'h2', uniqueId: hex('00ff10') },
    });
  });

  it('counts the first of several TLVs of a type, and passes over text that is not UTF-8', () => {
    const names = tlv(2, ascii('a.example')) + tlv(2, ascii('b.example'));
    expect(read(withTail(names))).toMatchObject({ header: { authority: 'a.example' } });
    const finding = read(withTail(tlv(2, hex('c0af')) + tlv(1, hex('ff'))));
    expect(finding).toEqual({
      state: 'complete',
      header: { source: 'proxied', ...inet },
      length: 28 + 5 + 4,
    });
  });

  it('keeps a unique id when the bytes it came in are used again', () => {
    const bytes = withTail(tlv(5, ascii('id-1')));
    const finding = read(bytes);
    bytes.fill(0);
    expect(finding).toMatchObject({ header: { uniqueId: ascii('id-1') } });
  });

  it('is the same in a Buffer that lies in the midst of memory', () => {
    const sealed = withTail(`030004 00000000 ${tlv(5, ascii('id-1'))}`);
    new DataView(sealed.buffer).setUint32(31, crc32c(sealed));
    const memory = Buffer.alloc(sealed.length + 20, 0xff);
    memory.set(sealed, 7);
    const before = Buffer.from(memory);
    const finding = read(memory.subarray(7));
    expect(finding).toEqual(read(sealed));
    expect(memory.equals(before), 'is only read').toBe(true);
    memory.fill(0);
    expect(finding).toMatchObject({ state: 'complete', header: { ...inet, uniqueId: ascii('id-1') } });
  });

  it('takes a unique id of 128 bytes and none that is longer', () => {
    expect(read(withTail(tlv(5, new Uint8Array(128))))).toMatchObject({ state: 'complete' });
    expect(read(withTail(tlv(5, new Uint8Array(129))))).toEqual(broken);
  });

  it('wants a checksum, where there is one, to be that of the header', () => {
    expect(read(withTail('030004 c91d6693'))).toMatchObject({ state: 'complete', length: 35 });
    expect(read(withTail('030004 deadbeef'))).toEqual(broken);
    expect(read(withTail('030004 00000000'))).toEqual(broken);
  });

  it('counts payload behind the header out of the checksum, and all TLVs in', () => {
    const sealed = withTail(`030004 00000000 ${tlv(2, ascii('a.example'))}`);
    new DataView(sealed.buffer).setUint32(31, crc32c(sealed));
    expect(read(join(sealed, ascii('payload')))).toMatchObject({ header: { authority: 'a.example' } });
    for (const at of [16, 24, 34, 43]) {
      const other = sealed.slice();
      other[at] = (other[at] ?? 0) ^ 1;
      expect(read(other), `byte ${at}`).toEqual(broken);
    }
  });

  it('refuses a checksum of another size, and a second one', () => {
    expect(read(withTail('030003 c91d66'))).toEqual(broken);
    for (const tail of ['030005 0000000000', '030004 00000000 030004 00000000']) {
      const sealed = withTail(tail);
      new DataView(sealed.buffer).setUint32(31, crc32c(sealed));
      expect(read(sealed)).toEqual(broken);
    }
  });

  it.each(['0100000000', '0100000000 210007 544c5376312e33', '0100000000 210000 220000'])(
    'takes what is known of TLS, if its own TLVs tile it: %s',
    (value) => {
      expect(read(withTail(tlv(0x20, hex(value))))).toMatchObject({ state: 'complete' });
    },
  );

  it.each(['', '01000000', '0100000000 21', '0100000000 210001', '0100000000 210000 00'])(
    'refuses what is known of TLS otherwise: %j',
    (value) => {
      expect(read(withTail(tlv(0x20, hex(value))))).toEqual(broken);
    },
  );
});
