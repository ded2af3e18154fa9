import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/core/wire/crc32c.ts';
import { ascii } from './proxy-samples.ts';

describe('crc32c', () => {
  // The check value of the catalogues, then the examples of RFC 3720, B.4.
  it.each([
    ['nothing', new Uint8Array(), 0],
    ['123456789', ascii('123456789'), 0xe3069283],
    ['32 zeros', new Uint8Array(32), 0x8a9136aa],
    ['32 ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ['0 to 31', Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ['31 to 0', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
  ])('of %s is what it must be', (_, bytes, sum) => {
    expect(crc32c(bytes)).toBe(sum);
  });
});
