import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectedNetwork, parseNetwork } from '../../src/config/networks.ts';
import { formatNetwork, networkOf } from '../../src/core/access/address-range.ts';

test.each([
  ['10.0.0.0/8', '10.0.0.0/8'],
  ['10.0.0.1', '10.0.0.1/32'],
  ['255.255.255.255', '255.255.255.255/32'],
  ['0.0.0.0/0', '0.0.0.0/0'],
  ['::FFFF:10.0.0.0/104', '10.0.0.0/8'],
  ['::/0', '::/0'],
  ['2001:DB8:0:0::/32', '2001:db8::/32'],
  ['::1', '::1/128'],
])('parseNetwork reads %s', (text, canonical) => {
  const network = parseNetwork(text);
  expect(network.ok && formatNetwork(network.value)).toBe(canonical);
});

test.each([
  ['10.0.0.1/8', 'the network 10.0.0.0/8 or the address 10.0.0.1'],
  ['192.168.1.129/25', 'the network 192.168.1.128/25 or the address 192.168.1.129'],
  ['2001:db8::1/32', 'the network 2001:db8::/32 or the address 2001:db8::1'],
  ['10.0.0.0/33', 'a prefix length from 0 to 32'],
  ['::/129', 'a prefix length from 0 to 128'],
  ['fe80::1%eth0', expectedNetwork],
  ['example.com', expectedNetwork],
  ['', expectedNetwork],
])('parseNetwork of %j expects %s', (text, expected) => {
  expect(parseNetwork(text)).toMatchObject({ ok: false, expected });
});

test('parseNetwork reads what formatNetwork writes', () => {
  const word = fc.oneof(fc.constantFrom(0, 0xffff), fc.integer());
  const ranges = fc.record({
    words: fc.tuple(word, word, word, word),
    prefixLength: fc.integer({ min: 0, max: 128 }),
  });
  fc.assert(
    fc.property(ranges, (range) => {
      const network = networkOf(range);
      expect(parseNetwork(formatNetwork(network))).toEqual({ ok: true, value: network });
    }),
    { numRuns: 1_000 },
  );
});
