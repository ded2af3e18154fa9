import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { utf8Bytes, utf8Text } from '../../../src/core/wire/text.ts';

describe('utf8Bytes', () => {
  it('writes what the runtime writes', () => {
    const anyText = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.nat(0xffff), { maxLength: 8 }).map((units) => String.fromCharCode(...units)),
      fc.constantFrom(
        '',
        '\x7f\x80',
        '\u07ff\u0800',
        '\uffff\u{10000}\u{10ffff}',
        '\ud800',
        '\udc00a',
        'a\ud83d',
      ),
    );
    fc.assert(
      fc.property(anyText, (text) => {
        expect([...utf8Bytes(text)]).toEqual([...new TextEncoder().encode(text)]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('utf8Text', () => {
  it('reads what the runtime reads, and nothing else', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const decoded = (bytes: Uint8Array) => {
      try {
        return decoder.decode(bytes);
      } catch {
        return undefined;
      }
    };
    const byte = fc.oneof(
      fc.constantFrom(0, 0x41, 0x80, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xf5),
      fc.nat(255),
    );
    const anyBytes = fc.oneof(
      fc.array(byte, { maxLength: 6 }).map((bytes) => Uint8Array.from(bytes)),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
    );
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(utf8Text(bytes)).toBe(decoded(bytes));
      }),
      { numRuns: 5_000 },
    );
  });
});
